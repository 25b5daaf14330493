/**
 * Checks the documents of the client against schema.graphql, and writes the types of their
 * variables and answers to src/client/wire.ts. With --check it fails where that file is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import {
  buildSchema,
  type FragmentDefinitionNode,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  typeFromAST,
  validate,
} from 'graphql';
import { documents } from './client/documents.ts';

const wireFile = new URL('./client/wire.ts', import.meta.url);
const schemaFile = new URL('../schema.graphql', import.meta.url);

const head = `/**
 * Types of what the client's documents send and what they are answered with. Printed by
 * \`npm run schema\`; do not edit.
 */
`;

/** Scalars as JSON has them. */
const scalars: Readonly<Record<string, string>> = {
  ID: 'string',
  String: 'string',
  DateTime: 'string',
  Int: 'number',
  SafeInt: 'number',
  Float: 'number',
  Boolean: 'boolean',
  JSON: 'unknown',
  JSONObject: 'Readonly<Record<string, unknown>>',
};

/** The text of wire.ts. Throws where a document does not fit the schema. */
function printWire(schema: GraphQLSchema): string {
  const fragments = new Map<string, string>();
  const inputs = new Map<string, string>();
  const lines: string[] = [];
  for (const [name, text] of Object.entries(documents)) {
    const document = parse(text);
    const [problem] = validate(schema, document);
    if (problem) throw new Error(`src/client/documents.ts, ${name}: ${problem.message}`);
    for (const definition of document.definitions) {
      if (definition.kind === 'FragmentDefinition') {
        fragments.set(definition.name.value, printFragment(schema, definition, inputs));
      } else if (definition.kind === 'OperationDefinition') {
        lines.push(`  ${name}: {\n${printOperation(schema, definition, inputs)}\n  };`);
      }
    }
  }
  return [
    head,
    `export interface Operations {\n${lines.join('\n')}\n}\n`,
    ...[...fragments.values(), ...[...inputs].sort().map(([, printed]) => printed)],
  ].join('\n');
}

function printFragment(
  schema: GraphQLSchema,
  { name, typeCondition, selectionSet }: FragmentDefinitionNode,
  named: Map<string, string>,
): string {
  const type = schema.getType(typeCondition.name.value) as GraphQLObjectType;
  return `export interface ${name.value} ${printSelection(type, selectionSet, named, '')}\n`;
}

function printOperation(
  schema: GraphQLSchema,
  { operation, selectionSet, variableDefinitions = [] }: OperationDefinitionNode,
  named: Map<string, string>,
): string {
  const variables = variableDefinitions.map(({ variable, type }) => {
    const given = typeFromAST(schema, type as never) as GraphQLInputType;
    const mark = isNonNullType(given) ? '' : '?';
    return `      ${variable.name.value}${mark}: ${printInput(given, named)};`;
  });
  const root = schema.getRootType(operation) as GraphQLObjectType;
  return [
    variables.length > 0
      ? `    variables: {\n${variables.join('\n')}\n    };`
      : '    variables: Record<string, never>;',
    `    data: ${printSelection(root, selectionSet, named, '    ')};`,
  ].join('\n');
}

/** An object with the fields that are asked for; a fragment by its name. */
function printSelection(
  type: GraphQLObjectType,
  { selections }: SelectionSetNode,
  named: Map<string, string>,
  indent: string,
): string {
  const parents = selections.flatMap((one) =>
    one.kind === 'FragmentSpread' ? [one.name.value] : [],
  );
  const fields = selections.flatMap((one) => {
    if (one.kind !== 'Field') return [];
    const field = type.getFields()[one.name.value];
    if (!field) throw new Error(`${type.name} has no field ${one.name.value}`);
    const printed = printOutput(field.type, one.selectionSet, named, `${indent}  `);
    const name = (one.alias ?? one.name).value;
    return `${indent}  ${name}${one.directives?.length ? '?' : ''}: ${printed};`;
  });
  const own = fields.length > 0 ? [`{\n${fields.join('\n')}\n${indent}}`] : [];
  return [...parents, ...own].join(' & ');
}

function printOutput(
  type: GraphQLOutputType,
  selection: SelectionSetNode | undefined,
  named: Map<string, string>,
  indent: string,
): string {
  if (isNonNullType(type)) return printThere(type.ofType, selection, named, indent);
  const there = printThere(type, selection, named, indent);
  return there === 'unknown' ? there : `${there} | null`;
}

function printThere(
  type: GraphQLOutputType,
  selection: SelectionSetNode | undefined,
  named: Map<string, string>,
  indent: string,
): string {
  if (isListType(type)) return `${printOutput(type.ofType, selection, named, indent)}[]`;
  if (isObjectType(type) && selection) return printSelection(type, selection, named, indent);
  return printNamed(getNamedType(type), named);
}

function printInput(type: GraphQLInputType, named: Map<string, string>): string {
  if (!isNonNullType(type)) return `${printGiven(type, named)} | null | undefined`;
  return printGiven(type.ofType, named);
}

function printGiven(type: GraphQLInputType, named: Map<string, string>): string {
  if (isListType(type)) return `readonly ${printInput(type.ofType, named)}[]`;
  return printNamed(getNamedType(type), named);
}

/** The name of an enum or input, which is then printed too; a scalar as JSON has it. */
function printNamed(type: GraphQLNamedType, named: Map<string, string>): string {
  if (named.has(type.name)) return type.name;
  if (isEnumType(type)) {
    const values = type.getValues().map(({ name }) => `\n  | '${name}'`);
    named.set(type.name, `export type ${type.name} =${values.join('')};\n`);
    return type.name;
  }
  if (isInputObjectType(type)) {
    named.set(type.name, ''); // an input may contain itself
    const fields = Object.values(type.getFields()).map(({ name, type: given }) => {
      const mark = isNonNullType(given) ? '' : '?';
      return `  ${name}${mark}: ${printInput(given, named)};`;
    });
    named.set(type.name, `export interface ${type.name} {\n${fields.join('\n')}\n}\n`);
    return type.name;
  }
  const scalar = scalars[type.name];
  if (scalar === undefined) throw new Error(`The client has no type for the scalar ${type.name}`);
  return scalar;
}

const printed = printWire(buildSchema(readFileSync(schemaFile, 'utf8')));
if (!process.argv.includes('--check')) {
  writeFileSync(wireFile, printed);
} else if (readFileSync(wireFile, 'utf8') !== printed) {
  process.stderr.write('src/client/wire.ts is out of date: npm run schema\n');
  process.exitCode = 1;
}
