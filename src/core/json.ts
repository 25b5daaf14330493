/**
 * Levels of nesting in JSON that is stored or checked: options, metadata, rows and answers.
 * Validators and JSON.stringify recurse, and deeper values would overflow the stack.
 */
export const maxJsonDepth = 100;
