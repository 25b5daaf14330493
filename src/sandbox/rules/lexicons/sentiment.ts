/** Words of opinion, a list of our own. Weight 2 marks the strong ones. Matched as stems. */
export const positiveWords = `good great excellent amazing awesome fantastic wonderful superb perfect brilliant outstanding love loved lovely
like liked enjoy enjoyed enjoyable happy pleased pleasant delighted delight satisfied satisfying glad thrilled impressed impressive
nice beautiful gorgeous stunning best better favorite favourite recommend recommended worth worthwhile valuable helpful useful
friendly kind polite courteous welcoming attentive caring generous warm quick fast prompt efficient smooth smoothly easy easily
simple intuitive convenient comfortable cozy clean spotless fresh tasty delicious yummy flavorful reliable dependable sturdy durable
solid safe secure trustworthy honest fair affordable cheap bargain reasonable quality premium elegant stylish smart clever
creative innovative fun funny hilarious entertaining exciting excited engaging captivating inspiring inspired memorable
remarkable incredible unbelievable magnificent marvelous splendid terrific phenomenal exceptional flawless exquisite
thank thanks grateful appreciate appreciated success successful win winner winning improved improvement improve benefit
advantage positive optimistic promising strong robust powerful vibrant charming adorable sweet cheerful calm relaxing peaceful
refreshing rewarding accurate responsive thoughtful seamless effortless superior top wow yay bravo kudos works worked
gem treat blessed joy joyful fabulous stellar masterpiece exceeded surpassed profit growth gain gains rise rises soar soared
record upgrade bonus praise praised thrive proud confident comfy crisp`;

export const strongPositiveWords = `excellent amazing awesome fantastic perfect brilliant outstanding love loved best superb incredible
phenomenal exceptional flawless magnificent masterpiece stellar thrilled delighted terrific`;

export const negativeWords = `bad terrible horrible awful dreadful poor poorly worst worse hate hated dislike disliked disappointing
disappointed disappointment disappoint upset angry furious annoyed annoying irritating irritated frustrating frustrated unhappy sad
unsatisfied dissatisfied useless worthless pointless waste wasted broken breaks broke defective faulty damaged cracked flawed flimsy
fragile fail failed fails failure failing error errors bug buggy bugs glitch glitchy crash crashed crashes crashing freeze freezes
slow sluggish laggy late delay delayed delays cold stale bland tasteless disgusting gross nasty dirty filthy smelly stinks rotten moldy
rude unfriendly unhelpful unprofessional incompetent careless ignorant arrogant dishonest scam scammed fraud fake misleading
lied lie liar cheat cheated overpriced expensive pricey costly rip ripoff boring dull tedious mediocre lame cheesy predictable
confusing confused complicated difficult hard uncomfortable painful pain hurt hurts sick ill noisy loud crowded cramped tiny
ugly hideous cheaply shoddy tacky unusable unacceptable unreliable unsafe dangerous risky scary worried worry concern concerned problem
problems issue issues trouble complaint complain complained refund return returned refused denied wrong incorrect missing lost
stolen lack lacking lacks insufficient inadequate weak ridiculous absurd stupid dumb idiotic nonsense joke pathetic shame shameful
regret avoid never nightmare disaster catastrophe mess messy messed horrendous atrocious appalling abysmal garbage trash
rubbish junk crap sucks suck sucked loss losses decline declines drop dropped fall falls fell plunge plunged crisis lawsuit
layoffs bankrupt negative pessimistic miserable depressing depressed insulted insulting ignored neglected burnt soggy leak leaks leaking`;

export const strongNegativeWords = `terrible horrible awful dreadful worst hate hated disgusting furious horrendous atrocious appalling
abysmal nightmare disaster scam useless garbage unacceptable pathetic`;

export const intensifiers = `very really extremely incredibly absolutely totally completely so super highly utterly truly too deeply`;
export const softeners = `slightly somewhat fairly rather kinda little bit mildly almost okay ok`;
