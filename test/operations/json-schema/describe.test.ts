import { describe, expect, it } from 'vitest';
import { describeFields } from '../../../src/operations/json-schema/describe.ts';

const lines = (schema: object) => describeFields({ ...schema }, { strict: true }).split('\n');
const objectOf = (properties: object, more: object = {}) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  ...more,
});

describe('the list of fields', () => {
  it('names schemas that hold themselves, and ends', () => {
    const $defs = {
      list: { type: 'array', items: { $ref: '#/$defs/list' } },
      some: { anyOf: [{ $ref: '#/$defs/some' }, { type: 'null' }] },
      tree: objectOf({ children: { type: 'array', items: { $ref: '#/$defs/tree' } } }),
    };

    expect(
      lines(
        objectOf(
          {
            list: { $ref: '#/$defs/list' },
            some: { $ref: '#/$defs/some' },
            tree: { $ref: '#/$defs/tree' },
          },
          { $defs },
        ),
      ),
    ).toEqual([
      '- "list" (list of list of list)',
      '- "some" (value or null)',
      '- "tree" (object)',
      '  - "children" (list of object)',
      '    - "children" (list of object)',
      '      - "children" (list of object)',
    ]);
  });

  it('stays small where alternatives refer to alternatives, each twice', () => {
    const $defs = Object.fromEntries(
      Array.from({ length: 60 }, (_, index) => {
        const next = { $ref: `#/$defs/n${index + 1}` };
        const list = { type: 'array', items: next };
        return [
          `n${index}`,
          { anyOf: [list, { type: 'array', items: { anyOf: [next, { const: index }] } }] },
        ];
      }),
    );
    const schema = objectOf(
      { deep: { $ref: '#/$defs/n0' } },
      { $defs: { ...$defs, n60: { type: 'string' } } },
    );

    expect(describeFields(schema, { strict: true }).length).toBeLessThan(1_000);
  });

  it('says so where it leaves fields out: after 200, and after 200,000 characters', () => {
    const many = Object.fromEntries(
      Array.from({ length: 250 }, (_, index) => [`f${index}`, { type: 'null' }]),
    );
    const long = { enum: ['x'.repeat(90_000), 'y'] };

    const counted = lines(objectOf(many));
    const measured = lines(objectOf({ a: long, b: long, c: long, d: long }));

    expect(counted).toHaveLength(201);
    expect(counted.at(-1)).toBe('- … and the others that the schema has');
    expect(measured).toHaveLength(3);
    expect(measured.at(-1)).toBe('- … and the others that the schema has');
  });
});
