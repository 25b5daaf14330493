/** Objects: property by property, in the schema's order; confidences are told by what the others found. */
import type { Item } from './item.ts';
import { isObject, type JsonSchema, typesOf } from './json-schema.ts';
import { fitNumber } from './limits.ts';
import type { Filled, Place, SchemaNode } from './node.ts';

interface Property {
  name: string;
  node: SchemaNode;
  required: boolean;
  /** True for `confidence` and its kin, which are told by the others. */
  confidence: boolean;
  schema: JsonSchema;
}

const confidenceName =
  /(?:^|[_ -])(?:confidence|certainty|probability|likelihood)(?:[_ -](?:score|level|value))?$|Confidence(?:Score)?$/;

export function compileObject(schema: JsonSchema, place: Place): SchemaNode {
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const entries = Object.entries(isObject(schema.properties) ? schema.properties : {});
  const properties: Property[] = entries.map(([name, raw]) => {
    const own: JsonSchema = isObject(raw) ? raw : {};
    const numeric = numericSchema(own);
    return {
      name,
      node: place.compile(raw, {
        ...place,
        name,
        description: place.context.descriptions.get(name) ?? '',
      }),
      required: required.has(name),
      confidence: numeric !== null && confidenceName.test(name),
      schema: numeric ?? own,
    };
  });

  const fill = (
    item: Item,
    near?: number,
    given?: { property: Property; filled: Filled },
  ): Filled => {
    const filled = properties.map((property) =>
      property.confidence
        ? null
        : property === given?.property
          ? given.filled
          : property.node.fill(item, near),
    );
    const finds = filled.filter((one) => one?.found);
    const score =
      finds.length === 0
        ? 0
        : finds.reduce((sum, one) => sum + (one?.score ?? 0), 0) / finds.length;
    const value: [string, unknown][] = [];
    const decisions = [];
    for (const [i, property] of properties.entries()) {
      const one = filled[i];
      if (property.confidence)
        value.push([property.name, confidence(property, properties, filled, score)]);
      else if (one && (one.found || property.required)) {
        value.push([property.name, one.value]);
        decisions.push(...one.decisions);
      }
    }
    // fromEntries makes own properties even of names such as __proto__.
    return {
      value: Object.fromEntries(value),
      score,
      found: finds.length > 0 || properties.length === 0,
      decisions,
    };
  };

  /** One object for every find of the property with the most of them, words before numbers; the others are taken from nearby. */
  const all = (item: Item): Filled[] => {
    let lead: { property: Property; finds: Filled[] } | null = null;
    for (const property of properties) {
      if (property.confidence || (lead && numericSchema(property.schema))) continue;
      const finds = property.node.all(item);
      if (finds.length > (lead?.finds.length ?? 0)) lead = { property, finds };
    }
    const chosen = lead;
    return (
      chosen?.finds.map((filled) => fill(item, filled.at, { property: chosen.property, filled })) ??
      []
    );
  };
  return { fill: (item, near) => fill(item, near), all };
}

/** `company_confidence` is the company's score; a plain `confidence` that of the whole object. */
function confidence(
  { name, schema }: Property,
  properties: readonly Property[],
  filled: readonly (Filled | null)[],
  whole: number,
): number {
  const stem = name.replace(confidenceName, '');
  const about = stem ? properties.findIndex((property) => property.name === stem) : -1;
  const score = about >= 0 ? (filled[about]?.score ?? 0) : whole;
  const percent = (schema.maximum ?? 1) > 1 || typesOf(schema).includes('integer');
  const rounded = percent
    ? Math.round(score * Math.min(100, schema.maximum ?? 100))
    : Math.round(score * 1_000) / 1_000;
  return fitNumber(rounded, schema, typesOf(schema).includes('integer'));
}

function numericSchema(schema: JsonSchema): JsonSchema | null {
  if (typesOf(schema).some((type) => type === 'number' || type === 'integer')) return schema;
  return (
    schema.anyOf?.find((branch) =>
      typesOf(branch).some((type) => type === 'number' || type === 'integer'),
    ) ?? null
  );
}
