/** What the sources import, by the folders of docs/architecture.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path/posix';

const source = new URL('../../src/', import.meta.url);

export interface Imports {
  /** Folders of src; `core` and `telemetry` are left out where they are below. */
  folders: string[];
  /** Folders of which types alone are imported. */
  types: string[];
  packages: string[];
}

/**
 * The room that a path in src lies in: a file of src itself is one, and so are the folders of faces
 * and engine.
 */
function roomOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  if (first === 'faces' || first === 'engine') return `${first}/${second}`;
  return first.replace(/\.[jt]sx?$/, '');
}

/** All rooms may import what is below them. */
function isBelow(other: string, room: string): boolean {
  return other === 'core' || (other === 'telemetry' && room !== 'core');
}

/** By room. */
export function readImports(): Map<string, Imports> {
  const found = new Map<string, { run: Set<string>; types: Set<string>; packages: Set<string> }>();
  const paths = readdirSync(source, { recursive: true, encoding: 'utf8' });
  for (const path of paths.filter((name) => /\.[jt]sx?$/.test(name)).sort()) {
    const room = roomOf(path);
    const own = found.get(room) ?? { run: new Set(), types: new Set(), packages: new Set() };
    found.set(room, own);
    for (const { name, typeOnly } of importsIn(path)) {
      if (name.startsWith('.')) {
        const other = roomOf(join(dirname(path), name));
        if (other !== room && !isBelow(other, room)) (typeOnly ? own.types : own.run).add(other);
      } else if (!/^(node|winnow):/.test(name) && !builtinModules.includes(name)) {
        const parts = name.split('/');
        own.packages.add(parts.slice(0, name.startsWith('@') ? 2 : 1).join('/'));
      }
    }
  }
  return new Map(
    [...found].map(([room, { run, types, packages }]) => [
      room,
      {
        folders: [...run].sort(),
        types: [...types].filter((name) => !run.has(name)).sort(),
        packages: [...packages].sort(),
      },
    ]),
  );
}

/** As the formatter writes them: each begins a line and ends with a semicolon. */
const statement = /^(?:import|export) (?:(type) )?(?:([^;'"()]*?)\sfrom )?'([^']+)'/gm;
/** With `await` it is loaded when it is needed; else a type is named. */
const inPlace = /(await )?\bimport\('([^']+)'\)/g;

function importsIn(path: string): { name: string; typeOnly: boolean }[] {
  const text = readFileSync(new URL(path, source), 'utf8');
  return [
    ...[...text.matchAll(statement)].map(([, type, names = '', name = '']) => ({
      name,
      typeOnly: type !== undefined || areTypes(names),
    })),
    ...[...text.matchAll(inPlace)].map(([, loads, name = '']) => ({
      name,
      typeOnly: loads === undefined,
    })),
  ];
}

function areTypes(names: string): boolean {
  const listed = /^\{(.*)\}$/s.exec(names.trim())?.[1]?.split(',') ?? [];
  const given = listed.map((name) => name.trim()).filter((name) => name !== '');
  return given.length > 0 && given.every((name) => name.startsWith('type '));
}
