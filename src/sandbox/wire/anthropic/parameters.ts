/**
 * The parameters of a message, their types and ranges. Source:
 * https://platform.claude.com/docs/en/api/messages/create.
 */
import { isObject } from '../../rules/json-schema.ts';
import { invalid, wantsList, wantsObject, wantsString } from './invalid.ts';

type Kind =
  | { type: 'any' | 'boolean' | 'string' | 'object' | 'list' }
  | { type: 'number' | 'integer'; least: number; most: number };

const any: Kind = { type: 'any' };

const known = new Map<string, Kind>(
  Object.entries({
    model: any,
    messages: any,
    system: any,
    max_tokens: { type: 'integer', least: 1, most: Number.MAX_SAFE_INTEGER },
    temperature: { type: 'number', least: 0, most: 1 },
    top_p: { type: 'number', least: 0, most: 1 },
    top_k: { type: 'integer', least: 0, most: Number.MAX_SAFE_INTEGER },
    stop_sequences: { type: 'list' },
    stream: { type: 'boolean' },
    metadata: { type: 'object' },
    service_tier: { type: 'string' },
    inference_geo: { type: 'string' },
    container: any,
    cache_control: { type: 'object' },
    thinking: { type: 'object' },
    tools: { type: 'list' },
    tool_choice: { type: 'object' },
    output_config: { type: 'object' },
    output_format: { type: 'object' },
  } satisfies Record<string, Kind>),
);

/** Throws the 400 for the first parameter that is unknown, ill-typed, out of range or refused. */
export function checkParameters(body: Record<string, unknown>, refuse: ReadonlySet<string>): void {
  for (const [name, value] of Object.entries(body)) {
    const kind = known.get(name);
    if (!kind) throw invalid(name, 'Extra inputs are not permitted');
    if (value === null) continue;
    // Demanded here, whatever OpenAI's newer models think of it.
    if (refuse.has(name) && name !== 'max_tokens')
      throw invalid(name, 'is not supported by this model');
    const why = fault(value, kind);
    if (why) throw invalid(name, why);
  }
}

function fault(value: unknown, kind: Kind): string | null {
  switch (kind.type) {
    case 'any':
      return null;
    case 'boolean':
      return typeof value === 'boolean' ? null : 'Input should be a valid boolean';
    case 'string':
      return typeof value === 'string' ? null : wantsString;
    case 'object':
      return isObject(value) ? null : wantsObject;
    case 'list':
      return Array.isArray(value) ? null : wantsList;
    case 'number':
    case 'integer': {
      if (typeof value !== 'number' || (kind.type === 'integer' && !Number.isInteger(value)))
        return `Input should be a valid ${kind.type}`;
      if (value < kind.least) return `Input should be greater than or equal to ${kind.least}`;
      return value > kind.most ? `Input should be less than or equal to ${kind.most}` : null;
    }
    default: {
      const never: never = kind;
      throw new TypeError(String(never));
    }
  }
}
