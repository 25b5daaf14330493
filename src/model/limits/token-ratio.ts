/** Corrects the estimate of a request's tokens by what earlier requests of its plan were billed. */

/** Answers that are remembered: enough to be steady, few enough to follow a change of the rows. */
const rememberedAnswers = 100;
/** One long answer among fewer would say little of the others. */
const minAnswers = 5;

export interface TokenRatio {
  /** Billed tokens for each estimated one. 1 until five answers have come. */
  readonly value: number;
  /** Takes in one answer: what its request was estimated to need, and what was billed. */
  learn(estimated: number, billed: number): void;
}

/** A ratio that knows nothing yet. */
export function createTokenRatio(): TokenRatio {
  const answers: { estimated: number; billed: number }[] = [];
  let oldest = 0;
  let estimatedSum = 0;
  let billedSum = 0;
  return {
    get value() {
      return answers.length < minAnswers || estimatedSum === 0 ? 1 : billedSum / estimatedSum;
    },
    learn(estimated, billed) {
      const forgotten = answers[oldest];
      if (forgotten) {
        estimatedSum -= forgotten.estimated;
        billedSum -= forgotten.billed;
      }
      answers[oldest] = { estimated, billed };
      estimatedSum += estimated;
      billedSum += billed;
      oldest = (oldest + 1) % rememberedAnswers;
    },
  };
}
