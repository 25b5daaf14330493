/** The variables of pages, and of what the schema tells. */
import { bool } from './kinds.ts';
import { variable } from './variable.ts';

/** The variables, each with its kind. */
export const pageVariables = {
  CONSOLE: variable(
    '`off`: the console is not served, and `/` leads to GraphiQL.',
    bool(true, 'on', 'off'),
  ),
  GRAPHIQL: variable('`off`: GraphiQL is not served.', bool(true, 'on', 'off')),
  INTROSPECTION: variable(
    '`off`: the schema cannot be asked for, and errors suggest no names.',
    bool(true, 'on', 'off'),
  ),
};
