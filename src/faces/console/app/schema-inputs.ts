/** The options of operations as schema.graphql describes them, for the forms of the console. */
import { readFile } from 'node:fs/promises';

/** As `winnow:schema` declares it for the console. */
interface InputField {
  name: string;
  type: string;
  required: boolean;
  description: string;
}

const schemaFile = new URL('../../../../schema.graphql', import.meta.url);

/** The fields of the inputs whose name ends with Options, by the name of the input. */
export async function readInputs(): Promise<Record<string, InputField[]>> {
  const { parse, Kind, print } = await import('graphql');
  const document = parse(await readFile(schemaFile, 'utf8'));
  const inputs: Record<string, InputField[]> = {};
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.INPUT_OBJECT_TYPE_DEFINITION) continue;
    if (!definition.name.value.endsWith('Options')) continue;
    inputs[definition.name.value] = (definition.fields ?? []).map((field) => ({
      name: field.name.value,
      type: print(field.type).replace(/!$/, ''),
      required: field.type.kind === Kind.NON_NULL_TYPE,
      description: field.description?.value ?? '',
    }));
  }
  return inputs;
}
