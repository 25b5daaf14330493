/** The first values of the form for a new batch, where another page was given them. */
export interface Beginning {
  /** It is uploaded by the form, which says how far that is. */
  file?: File;
  /** Texts will be pasted: the focus goes to their field. */
  pastes?: true;
  categories?: readonly string[];
}

let waiting: Beginning | null = null;

/** The form is opened next. */
export function beginWith(beginning: Beginning): void {
  waiting = beginning;
}

/** Null where the form begins empty. What was taken once is gone. */
export function takeBeginning(): Beginning | null {
  const taken = waiting;
  waiting = null;
  return taken;
}
