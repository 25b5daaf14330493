/** A confidence as a short bar and a number. */

/** Below this an answer looks unsure. */
export const unsure = 0.6;

export function Sure({ confidence }: { confidence: number }) {
  return (
    <span className={confidence < unsure ? 'sure-bar low' : 'sure-bar'}>
      <i aria-hidden="true">
        <b style={{ width: `${confidence * 100}%` }} />
      </i>
      {confidence.toFixed(2)}
    </span>
  );
}
