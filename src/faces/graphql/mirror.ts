/**
 * GraphQL types made from zod objects, so that params and results are written once. The source is
 * the JSON Schema that zod prints. Names come from `id`, descriptions from `description`, those of
 * enum values from `values` in the meta.
 */
import type { EnumRef, InputFieldMap, InputObjectRef } from '@pothos/core';
import { z } from 'zod';
import { builder, type Types } from './builder.ts';

type Input = InputObjectRef<Types, Record<string, unknown>>;
type Enum = EnumRef<Types, string>;

/** The part of JSON Schema that zod prints for params and results. */
interface Printed {
  type?: string | string[] | undefined;
  description?: string | undefined;
  /** Description of the named type itself, where `description` is that of a field. */
  typeDescription?: string | undefined;
  default?: unknown;
  enum?: string[] | undefined;
  values?: Record<string, string> | undefined;
  id?: string | undefined;
  $ref?: string | undefined;
  $defs?: Record<string, Printed> | undefined;
  anyOf?: Printed[] | undefined;
  allOf?: Printed[] | undefined;
  items?: Printed | undefined;
  properties?: Record<string, Printed> | undefined;
  additionalProperties?: unknown;
  required?: string[] | undefined;
}

type ScalarName = 'String' | 'Int' | 'Float' | 'Boolean' | 'JSON' | 'JSONObject';
type InputType = ScalarName | Input | Enum;
type OutputType = ScalarName | Enum;

/** Named types are shared: ResponseFormatInput is one type, whichever operations take it. */
const inputs = new Map<string, Input>();
const enums = new Map<string, Enum>();

/** A GraphQL input named `name`, with a field for each param. `params` itself checks the values. */
export function mirrorInput(name: string, description: string, params: z.ZodObject): Input {
  const printed = print(params, 'input');
  const input = builder.inputType(name, {
    description,
    validate: { schema: params },
    fields: (t) => inputFields(t, printed, printed.$defs ?? {}),
  }) as unknown as Input;
  inputs.set(name, input);
  return input;
}

/** The fields of a result object, each nullable: they are null where the item failed. */
export function mirrorFields(
  result: z.ZodObject,
): { name: string; type: OutputType | [OutputType]; description: string }[] {
  const printed = print(result, 'output');
  return Object.entries(printed.properties ?? {}).map(([name, property]) => {
    const schema = unwrap(property, printed.$defs ?? {});
    const described = property.description ?? schema.description ?? '';
    if (schema.type === 'array') {
      return {
        name,
        description: described,
        type: [outputType(unwrap(schema.items ?? {}, printed.$defs ?? {}))],
      };
    }
    return { name, description: described, type: outputType(schema) };
  });
}

function print(schema: z.ZodObject, io: 'input' | 'output'): Printed {
  return z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Printed;
}

type InputBuilder = Parameters<NonNullable<Parameters<typeof builder.inputType>[1]['fields']>>[0];

function inputFields(
  t: InputBuilder,
  object: Printed,
  defs: Record<string, Printed>,
): InputFieldMap {
  const fields: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(object.properties ?? {})) {
    const schema = unwrap(property, defs);
    const options = {
      description: property.description ?? schema.description ?? '',
      required: object.required?.includes(name) ?? false,
      ...(property.default === undefined ? {} : { defaultValue: property.default as never }),
    };
    fields[name] =
      schema.type === 'array'
        ? t.field({
            ...options,
            type: [inputType(unwrap(schema.items ?? {}, defs), defs)] as never,
          })
        : t.field({ ...options, type: inputType(schema, defs) as never });
  }
  return fields as InputFieldMap;
}

/** Follows references, and looks through the null that an optional value may be. */
function unwrap(schema: Printed, defs: Record<string, Printed>): Printed {
  if (schema.$ref) {
    const name = schema.$ref.replace('#/$defs/', '');
    const { $ref: _, ...around } = schema;
    const { description: typeDescription } = defs[name] ?? {};
    return unwrap({ id: name, ...defs[name], typeDescription, ...around }, defs);
  }
  if (Array.isArray(schema.type)) {
    const [type, ...types] = schema.type.filter((name) => name !== 'null');
    return types.length === 0 ? { ...schema, type } : { ...schema, type: undefined };
  }
  const [only, ...others] = [...(schema.anyOf ?? []), ...(schema.allOf ?? [])].filter(
    ({ type }) => type !== 'null',
  );
  if (only && others.length === 0) {
    const inner = unwrap(only, defs);
    return { ...inner, description: schema.description ?? inner.description };
  }
  return schema;
}

function inputType(schema: Printed, defs: Record<string, Printed>): InputType {
  if (schema.enum) return enumType(schema);
  if (schema.type === 'object' && schema.properties) {
    const name = named(schema);
    const input =
      inputs.get(name) ??
      (builder.inputType(name, {
        description: schema.typeDescription ?? '',
        fields: (t) => inputFields(t, schema, defs),
      }) as unknown as Input);
    inputs.set(name, input);
    return input;
  }
  return scalarType(schema);
}

function outputType(schema: Printed): OutputType {
  return schema.enum ? enumType(schema) : scalarType(schema);
}

function enumType(schema: Printed): Enum {
  const name = named(schema);
  const known = enums.get(name);
  if (known) return known;
  const values = Object.fromEntries(
    (schema.enum ?? []).map((value) => [
      value,
      { value, description: schema.values?.[value] ?? '' },
    ]),
  );
  const made = builder.enumType(name, {
    description: schema.typeDescription ?? '',
    values,
  }) as unknown as Enum;
  enums.set(name, made);
  return made;
}

function named(schema: Printed): string {
  if (!schema.id)
    throw new Error(`a nested object or enum has no id in its meta: ${JSON.stringify(schema)}`);
  return schema.id;
}

function scalarType(schema: Printed): ScalarName {
  switch (schema.type) {
    case 'string':
      return 'String';
    case 'integer':
      return 'Int';
    case 'number':
      return 'Float';
    case 'boolean':
      return 'Boolean';
    case 'object':
      return 'JSONObject';
    default:
      return 'JSON';
  }
}
