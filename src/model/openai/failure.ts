/** The errors of the openai package, and of OpenAI's protocol. */
import { APIConnectionError, APIError } from 'openai';
import { classify, toRefusal } from '../failure.ts';
import { createFailures } from '../http.ts';

export const openAiFailures = createFailures(
  { APIError, APIConnectionError },
  { refusalOf: toRefusal, classify },
);
