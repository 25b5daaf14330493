/**
 * A checker of the subset that strict structured output takes, written from OpenAI's guide and
 * apart from our rewriter: it says what a strict server would refuse.
 */
type Node = Record<string, unknown>;

const KEYWORDS: Record<string, readonly string[]> = {
  string: ['enum', 'const', 'pattern', 'format'],
  number: [
    'enum',
    'const',
    'multipleOf',
    'maximum',
    'exclusiveMaximum',
    'minimum',
    'exclusiveMinimum',
  ],
  integer: [
    'enum',
    'const',
    'multipleOf',
    'maximum',
    'exclusiveMaximum',
    'minimum',
    'exclusiveMinimum',
  ],
  boolean: ['enum', 'const'],
  null: ['enum', 'const'],
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'minItems', 'maxItems'],
};
const FORMATS = [
  'date-time',
  'time',
  'date',
  'duration',
  'email',
  'hostname',
  'ipv4',
  'ipv6',
  'uuid',
];

/**
 * Every breach of the subset, each with its place; empty for a schema that a strict server takes.
 */
export function strictBreaches(root: unknown): string[] {
  const breaches: string[] = [];
  const totals = { properties: 0, enums: 0, characters: 0 };
  const definitions: Node[] = [];

  function breach(path: string, what: string) {
    breaches.push(`${path || 'root'}: ${what}`);
  }

  function checkNode(value: unknown, path: string, depth: number) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return breach(path, 'must be a schema object');
    }
    const node = value as Node;
    if ('$ref' in node) {
      const found = ['#', ...definitions.flatMap((map) => Object.values(map))].includes(
        String(node.$ref),
      );
      return Object.keys(node).length === 1 && found ? undefined : breach(path, 'bad $ref');
    }
    if ('anyOf' in node) {
      return checkAlternatives(node, path, depth);
    }
    const types = [node.type].flat().map(String);
    const allowed = types.flatMap((type) => KEYWORDS[type] ?? []);
    for (const key of Object.keys(node)) {
      const isRootMap = path === '' && (key === '$defs' || key === 'definitions');
      if (!isRootMap && ![...allowed, 'type', 'description'].includes(key)) {
        breach(path, `'${key}' is not permitted`);
      }
    }
    if (types.some((type) => !(type in KEYWORDS))) {
      breach(path, 'must have a type');
    }
    if (types.filter((type) => type !== 'null').length > 1) {
      breach(path, 'types are united by anyOf');
    }
    if ('format' in node && !FORMATS.includes(String(node.format))) {
      breach(path, 'unknown format');
    }
    if (Array.isArray(node.enum)) {
      const values = node.enum.map(String);
      const characters = values.join('').length;
      totals.enums += values.length;
      totals.characters += characters;
      if (values.length > 250 && characters > 15_000) {
        breach(path, 'large enum');
      }
    }
    if (types.includes('object')) {
      checkObject(node, path, depth);
    }
    if (types.includes('array')) {
      checkNode(node.items, `${path}/items`, depth);
    }
  }

  function checkAlternatives(node: Node, path: string, depth: number) {
    if (path === '') {
      breach(path, 'anyOf at the root');
    }
    if (Object.keys(node).some((key) => key !== 'anyOf' && key !== 'description')) {
      breach(path, 'keywords beside anyOf');
    }
    for (const [index, branch] of (node.anyOf as unknown[]).entries()) {
      checkNode(branch, `${path}/anyOf/${index}`, depth);
    }
  }

  function checkObject(node: Node, path: string, depth: number) {
    const properties = (node.properties ?? {}) as Node;
    const names = Object.keys(properties);
    const required = (node.required ?? []) as string[];
    totals.properties += names.length;
    totals.characters += names.join('').length;
    if (node.additionalProperties !== false) {
      breach(path, 'additionalProperties must be false');
    }
    if ([...required].sort().join() !== [...names].sort().join()) {
      breach(path, 'required must list every property');
    }
    if (depth > 10) {
      breach(path, 'nested too deeply');
    }
    for (const name of names) {
      if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
        breach(path, `bad name ${name}`);
      }
      checkNode(properties[name], `${path}/${name}`, depth + 1);
    }
  }

  const top = (typeof root === 'object' && root !== null ? root : {}) as Node;
  const definitionMaps = ['$defs', 'definitions'].filter((key) => key in top);
  for (const key of definitionMaps) {
    const names = Object.keys(top[key] as Node);
    totals.characters += names.join('').length;
    definitions.push(Object.fromEntries(names.map((name) => [name, `#/${key}/${name}`])));
  }
  if (top.type !== 'object') {
    breach('', 'must be an object');
  }
  checkNode(top, '', 1);
  for (const key of definitionMaps) {
    for (const [name, definition] of Object.entries(top[key] as Node)) {
      checkNode(definition, `/${key}/${name}`, 1);
    }
  }
  if (totals.properties > 5_000 || totals.enums > 1_000 || totals.characters > 120_000) {
    breach('', `too large: ${JSON.stringify(totals)}`);
  }
  return breaches;
}
