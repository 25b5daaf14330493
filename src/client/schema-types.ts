/** Types of answers by the schema that they are asked with. */

/**
 * Form of an answer: the short form `{company: 'string', year: 'integer?', tags: 'string[]'}`, or
 * a JSON Schema of an object.
 */
export type AnswerSchema = Readonly<Record<string, unknown>>;

interface Types {
  string: string;
  text: string;
  date: string;
  number: number;
  float: number;
  integer: number;
  int: number;
  boolean: boolean;
  bool: boolean;
  null: null;
}
type TypeName = keyof Types;

/** An object of whose members nothing is known. */
type AnyData = Record<string, unknown>;

/**
 * The answer to a schema. Of the short form it has each field; a JSON Schema, and a schema that is
 * not written out in the call, give an object of unknown values.
 */
export type DataOf<Schema> = string extends keyof Schema
  ? AnyData
  : Schema extends
        | { readonly type: 'object' | 'array' }
        | { readonly properties: Readonly<Record<string, object>> }
        | { readonly additionalProperties: boolean }
        | { readonly $ref: string }
        | { readonly $defs: object }
        | { readonly $schema: string }
        | { readonly anyOf: readonly unknown[] }
        | { readonly oneOf: readonly unknown[] }
        | { readonly allOf: readonly unknown[] }
    ? AnyData
    : ShortData<Schema>;

/** A value that the text does not state is null; with a `?` it is left out instead. */
type ShortData<Fields> = Flat<
  {
    -readonly [Key in keyof Fields as Fields[Key] extends `${string}?` ? never : Key]: FieldOf<
      Fields[Key],
      null
    >;
  } & {
    -readonly [Key in keyof Fields as Fields[Key] extends `${string}?` ? Key : never]?: FieldOf<
      Fields[Key],
      never
    >;
  }
>;
type Flat<Fields> = { [Key in keyof Fields]: Fields[Key] };

/** `None` is what stands for a value that the text does not state. */
type FieldOf<Field, None> = Field extends
  | `${infer Name extends TypeName}[]`
  | `${infer Name extends TypeName}[]?`
  ? Types[Name][]
  : Field extends `${infer Name extends TypeName}?`
    ? Types[Name] | None
    : Field extends TypeName
      ? Types[Field] | None
      : Field extends string
        ? string | None
        : Field extends readonly [infer One]
          ? FieldOf<One, never>[]
          : Field extends readonly (infer Value extends string)[]
            ? Value | None
            : PropertyOf<Field, None>;

/** A field that is a JSON Schema, or an object inside. */
type PropertyOf<Field, None> = Field extends { readonly enum: readonly (infer Value)[] }
  ? Value | None
  : Field extends { readonly type: 'object' }
    ? AnyData
    : Field extends { readonly type: 'array' }
      ? unknown[]
      : Field extends { readonly type: infer Name extends TypeName }
        ? Types[Name] | None
        : Field extends { readonly type: readonly unknown[] }
          ? unknown
          : Field extends object
            ? DataOf<Field>
            : unknown;

/** A field to fill in: its name, or its name with more. */
export type EnrichField =
  | string
  | {
      /** Key of the value in the answer. */
      readonly name: string;
      readonly type?: 'text' | 'categorical' | 'numeric' | 'boolean' | 'date' | 'list' | undefined;
      readonly description?: string | undefined;
      /** Required for categorical, unless runtimeCategories has them. */
      readonly validValues?: readonly string[] | undefined;
      /** Values in the right form, at most 20. */
      readonly examples?: readonly unknown[] | undefined;
    };

/** The values of the fields by their names; null for those that are not known. */
export type EnrichData<Fields extends readonly EnrichField[]> = {
  [Field in Fields[number] as Field extends { readonly name: infer Name extends string }
    ? Name
    : Field & string]: EnrichValue<Field> | null;
};

type EnrichValue<Field> = Field extends { readonly type: 'numeric' }
  ? number
  : Field extends { readonly type: 'boolean' }
    ? boolean
    : Field extends { readonly type: 'list' }
      ? ValidValue<Field>[]
      : ValidValue<Field>;

type ValidValue<Field> = Field extends {
  readonly validValues: readonly (infer Value extends string)[];
}
  ? Value
  : string;
