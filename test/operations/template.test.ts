import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ItemFailure } from '../../src/core/errors.ts';
import { compileTemplate, TemplateError } from '../../src/operations/template.ts';
import { ending } from '../support/ending.ts';
import { anyCharacter, runsOf } from '../support/random.ts';
import { HOSTILE_TEXTS } from './support.ts';

const render = (source: string, metadata: Record<string, unknown> | null = null, content = 'C') =>
  compileTemplate(source).render({ content, metadata });

describe('a template', () => {
  it('puts in the content and metadata fields, and braces for doubled braces', () => {
    expect(render('{{"a": {{}}}} {content}/{my field}', { 'my field': 'x' })).toBe('{"a": {}} C/x');
    expect(render('{{{content}}}')).toBe('{C}');
  });

  it('may have no placeholder at all', () => {
    expect(render('')).toBe('');
    expect(compileTemplate('fixed').placeholders).toEqual([]);
  });

  it('names its metadata fields once each, content left out', () => {
    expect(compileTemplate('{b}{content}{a}{b}').placeholders).toEqual(['b', 'a']);
  });

  it('means the item by content, even where a field has that name', () => {
    expect(render('{content}', { content: 'field' }, 'item')).toBe('item');
  });

  it.each(HOSTILE_TEXTS)('puts in %j as it is', (value) => {
    expect(render('<{a}|{content}>', { a: value }, value)).toBe(`<${value}|${value}>`);
  });

  it('renders values that are not text: numbers and booleans plainly, null as nothing, the rest as JSON', () => {
    const metadata = { n: 1.5, b: false, z: null, o: { a: [1] } };

    expect(render('{n}|{b}|{z}|{o}', metadata)).toBe('1.5|false||{"a":[1]}');
  });

  it.each(['constructor', '__proto__', 'toString', 'missing'])(
    'fails the item that lacks the field %s, by name',
    (field) => {
      for (const metadata of [{}, null]) {
        expect(() => render(`{${field}}`, metadata)).toThrow(ItemFailure);
        expect(() => render(`{${field}}`, metadata)).toThrow(`"${field}"`);
      }
    },
  );

  it('reads an own field called __proto__', () => {
    expect(render('{__proto__}', JSON.parse('{"__proto__": "mine"}'))).toBe('mine');
  });

  it.each([
    ['a { b', 'lone { at character 3'],
    ['a } b', 'lone } at character 3'],
    ['ab {}', 'empty placeholder at character 4'],
    ['{ }', 'empty placeholder at character 1'],
    ['{a{b}}', 'lone { at character 1'],
    ['{"json":\n1}', 'lone { at character 1'],
    [`{${'x'.repeat(201)}}`, 'lone { at character 1'],
    ['{a', 'lone { at character 1'],
  ])('refuses %j: %s', (source, message) => {
    expect(() => compileTemplate(source)).toThrow(TemplateError);
    expect(() => compileTemplate(source)).toThrow(message);
  });

  it('gives back exactly the pieces that it was made of', () => {
    const name = fc.stringMatching(/^[^{}\n\r]{1,20}$/).filter((value) => value.trim() !== '');
    const piece = fc.oneof(
      fc.record({ literal: fc.string({ unit: 'grapheme' }) }),
      fc.record({ name, value: fc.string({ unit: anyCharacter }) }),
    );

    fc.assert(
      fc.property(fc.array(piece), fc.string(), (pieces, content) => {
        const metadata = new Map<string, string>();
        for (const part of pieces) {
          if ('name' in part && !metadata.has(part.name)) {
            metadata.set(part.name, part.value);
          }
        }
        const source = pieces
          .map((part) =>
            'name' in part
              ? `{${part.name}}`
              : part.literal.replace(/[{}]/g, (brace) => brace + brace),
          )
          .join('');
        const expected = pieces
          .map((part) => {
            if (!('name' in part)) {
              return part.literal;
            }
            return part.name === 'content' ? content : metadata.get(part.name);
          })
          .join('');

        expect(render(source, Object.fromEntries(metadata), content)).toBe(expected);
      }),
      runsOf(1_000),
    );
  });

  it.each([
    ['braces', '{{}}'.repeat(250_000)],
    ['placeholders', '{content}'.repeat(111_111)],
    ['text', 'x'.repeat(1_000_000)],
  ])('of 1 MB of %s compiles and renders', (_, source) => {
    const rendered = ending(() => render(source));

    expect(rendered.length).toBeLessThanOrEqual(source.length);
  });

  it.each(['{', '{'.repeat(1_000_001), `${'{a'.repeat(500_000)}`])(
    'is refused, however long',
    (source) => {
      expect(() => ending(() => compileTemplate(source))).toThrow(TemplateError);
    },
  );
});
