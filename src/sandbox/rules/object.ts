/** Objects: property by property, in the schema's order. */
import { isObject, type JsonSchema, typesOf } from './json-schema.ts';
import { fitNumber } from './limits.ts';
import { type Filled, finder, type Place, type SchemaNode } from './node.ts';

/** Names of numbers that say how sure the rule is of the other properties. */
const confidenceName = /^(?:confidence|certainty|probability|likelihood)(?:_(?:score|level))?$/i;

export function compileObject(schema: JsonSchema, place: Place): SchemaNode {
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const own = isObject(schema.properties) ? schema.properties : {};
  const properties = Object.entries(own).map(([name, raw]) => {
    const description = place.context.descriptions.get(name) ?? '';
    const isNumber = isObject(raw) && /number|integer/.test(typesOf(raw).join());
    const confidence = isNumber && confidenceName.test(name) ? raw : null;
    // A confidence is told by what the other properties find.
    const node = confidence
      ? finder(0, () => [])
      : place.compile(raw, { ...place, name, description });
    return { name, confidence, node, isRequired: required.has(name) || confidence !== null };
  });

  const assemble = (filled: readonly Filled[]): Filled => {
    const finds = filled.filter((one) => one.score > 0);
    const sum = finds.reduce((all, one) => all + one.score, 0);
    const score = properties.length === 0 ? 1 : sum / Math.max(1, finds.length);
    const kept = properties
      .map((property, i) => ({ ...property, ...(filled[i] as Filled) }))
      .filter((one) => one.isRequired || one.score > 0);
    const entries = kept.map(({ name, confidence, value }): [string, unknown] => [
      name,
      confidence ? asNumber(score, confidence) : value,
    ]);
    const decisions = kept.flatMap((one) => one.decisions);
    // fromEntries makes own properties even of names such as __proto__.
    return { value: Object.fromEntries(entries), score, decisions };
  };

  return {
    fill: (text) => assemble(properties.map(({ node }) => node.fill(text))),
    /** As many objects as the property with most finds has: the first takes the first finds. */
    all(text) {
      const finds = properties.map(({ node }) => node.all(text));
      return Array.from({ length: Math.max(0, ...finds.map(({ length }) => length)) }, (_, at) =>
        assemble(properties.map(({ node }, i) => finds[i]?.[at] ?? node.fill(text))),
      );
    },
  };
}

/** A score as the number that a schema asks for: a share, or a percentage. */
function asNumber(score: number, schema: JsonSchema): number {
  const isInteger = typesOf(schema).includes('integer');
  const isPercent = isInteger || (schema.maximum ?? 1) > 1;
  const rounded = isPercent ? Math.round(score * 100) : Math.round(score * 1_000) / 1_000;
  return fitNumber(rounded, schema, isInteger);
}
