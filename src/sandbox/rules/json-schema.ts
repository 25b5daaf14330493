/** The part of JSON Schema that the rules read. Anything else in a schema is passed over. */
export interface JsonSchema
  extends Partial<Record<'anyOf' | 'oneOf' | 'allOf', readonly JsonSchema[]>>,
    Partial<Record<'minItems' | 'maxItems' | 'minLength' | 'maxLength' | 'multipleOf', number>>,
    Partial<Record<'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum', number>>,
    Partial<Record<'$ref' | 'description' | 'pattern' | 'format', string>> {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly [keyword: string]: unknown;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The schema that a local reference (`#/$defs/person`) names; null for any other. */
export function resolve(root: JsonSchema, reference: string): JsonSchema | null {
  const [start, ...path] = reference.split('/');
  let at: unknown = start === '#' ? root : null;
  for (const part of path) {
    const key = decodeURIComponent(part).replace(/~1/g, '/').replace(/~0/g, '~');
    at = isObject(at) && Object.hasOwn(at, key) ? at[key] : null;
  }
  return isObject(at) ? at : null;
}

/** The types that a schema names or shows by its keywords; empty where anything goes. */
export function typesOf(schema: JsonSchema): readonly string[] {
  const types = [schema.type].flat().filter((type) => typeof type === 'string');
  if (types.length > 0) return types;
  return isObject(schema.properties) ? ['object'] : schema.items === undefined ? [] : ['array'];
}
