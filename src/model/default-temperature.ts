/** Which requests of a batch go without the temperature that Winnow would add by itself. */
import type { ModelRequest } from './request.ts';

/** Models that think before they answer and refuse a temperature, as far as their names tell. */
const thinking = /^(o\d|gpt-5(?!.*chat)|claude-(opus-4-[7-9]|(opus|sonnet|haiku)-[5-9]))/;

/**
 * A request as it goes into a provider batch for the model `name`. A live call learns of a refused
 * temperature at once, and for nothing; in a batch it would cost the whole job, hours later.
 */
export function batchRequest(name: string, request: ModelRequest): ModelRequest {
  const [last = ''] = name.split('/').slice(-1);
  return request.defaultTemperature !== undefined && thinking.test(last)
    ? { ...request, defaultTemperature: undefined }
    : request;
}
