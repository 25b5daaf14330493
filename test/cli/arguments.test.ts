/** Command lines: what is refused, what flags become, help and completion. No server is there. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { type FlagName, readArguments } from '../../src/cli/flags.ts';
import { commandHelp } from '../../src/cli/help.ts';
import { keyOf } from '../../src/cli/input.ts';
import { readOperation } from '../../src/cli/operation.ts';
import { readTable } from '../../src/cli/table-file.ts';
import type { OperationName } from '../../src/client/index.ts';
import { type Folder, openFolder } from './support.ts';

const hasZsh = spawnSync('zsh', ['--version']).status === 0;
/** Where nothing listens. */
const nowhere = 'http://127.0.0.1:9';

let folder: Folder;
beforeAll(() => {
  folder = openFolder({ WINNOW_URL: nowhere });
  writeFileSync(folder.file('texts.txt'), 'one\ntwo\n');
});
afterAll(() => folder.remove());

function flagsOf(name: string): readonly FlagName[] {
  return commands.find((one) => one.name === name)?.flags ?? [];
}

async function operation(name: OperationName, ...args: string[]) {
  return await readOperation(name, readArguments([name, 'f.csv', ...args], flagsOf(name)));
}

describe('wrong command lines end with 2', () => {
  it.each([
    [['lable', 'f'], 'Unknown command lable. Did you mean label?'],
    [['xyzzy'], 'Unknown command xyzzy. winnow --help lists all.'],
    [['label', 'f', '--categries', 'a'], 'Unknown flag --categries. Did you mean --categories?'],
    [['show', 'b', '--sample', '3'], 'Unknown flag --sample'],
    [['label'], 'winnow label needs --categories a,b'],
    [['label', '--categories', 'a,b'], 'winnow label needs a FILE, or - for its input'],
    [['label', 'f', '--categories'], '--categories must have a value: --categories A,B|@FILE'],
    [['label', 'f', '--categories', '--yes'], '--categories must have a value'],
    [['label', 'f', '--multi=yes'], '--multi takes no value'],
    [['label', 'f', 'g', '--categories', 'a,b'], 'winnow label takes no further word: g'],
    [['label', 'f', '--categories', 'a,b', '--sample', '51'], '--sample must be a whole number'],
    [['label', 'f', '--categories', 'a,b', '--format', 'xml'], '--format must be one of csv'],
    [['summarize', 'f.csv', '-o', './f.csv'], '-o must be another file than the input'],
    [['label', 'f', '--categories', 'a,b', '--rescue'], '--rescue needs --batch-api'],
    [['summarize', 'f', '--deduplicate', 'no'], '--deduplicate must be one of on, off, not no'],
    [['summarize', 'f', '--prompt-caching'], '--prompt-caching must have a value: --prompt-cach'],
    [['chat', 'f', '--prompt-caching', 'on'], 'Unknown flag --prompt-caching'],
    [['label', 'f', '--categories', 'a,b', '--options', '{'], '--options must be JSON'],
    [
      ['label', 'texts.txt', '--categories', 'a,b', '--detach', '--local'],
      '--detach needs a server',
    ],
    [
      ['label', 'f', '--categories', '"a, b",c'],
      `--categories must be names without quotes, or a JSON array such as '["a, b", "c"]'`,
    ],
    [['label', 'f', '--categories', '["a'], '--categories must be JSON'],
    [
      ['summarize', 'f', '--max-cost', '0'],
      '--max-cost must be a number above 0 and at most 1000000, not 0',
    ],
    [['extract', 'f'], 'winnow extract needs --schema, or --instructions'],
    [['run', 'f'], 'winnow run needs --instructions'],
    [['quote', 'lable', 'f'], 'winnow quote needs an operation, label, extract'],
    [['quote', 'summarize', 'f', '--categories', 'a,b'], 'winnow quote summarize takes no --categ'],
    [['show'], 'winnow show needs the ID of a batch'],
    [['batches', '--status', 'done'], '--status must be of draft'],
    [['batches', '--status', 'queued,,paused'], 'expired, without an empty one'],
    [['completion', 'tcsh'], 'winnow completion needs bash, zsh or fish'],
    [['models', '--url', 'nowhere'], 'url must begin with http:// or https://'],
  ])('%j', async (args, message) => {
    const { code, out, error } = await folder.json(args);

    expect(error).toMatchObject({ code: 'usage', issues: [] });
    expect(error.message).toContain(message);
    expect(code).toBe(2);
    expect(out.split('\n')).toHaveLength(2);
  });
});

it('without a server it ends with 3, and names what starts one', async () => {
  const { code, error } = await folder.json(['models']);

  expect(code).toBe(3);
  expect(error.code).toBe('no_server');
  expect(error.message).toContain(nowhere);
  expect(error.message).toMatch(/winnow serve.*--local.*WINNOW_URL/);
});

it.each([
  [['nope.csv'], 'ENOENT', 'There is no file or folder nope.csv'],
  [['f', '--instructions', '@nope.txt'], 'ENOENT', 'There is no file or folder nope.txt'],
  [['texts.txt', '-o', 'nowhere/a.csv'], 'ENOENT', 'There is no file or folder nowhere'],
  [['.'], 'EISDIR', '. is a folder'],
])('a file that cannot be read, %j, ends with 1', async (args, code, message) => {
  const ran = await folder.json(['summarize', ...args]);

  expect(ran.code).toBe(1);
  expect(ran.error).toMatchObject({ code, message });
});

describe('flags become options of GraphQL', () => {
  it('of label', async () => {
    writeFileSync(folder.file('meanings.json'), '{"praise": "is glad", "complaint": "is not"}');
    writeFileSync(
      folder.file('labelled.csv'),
      'text,stars,label\r\n"Good, ""really""",5,praise\r\nBad,1,complaint\r\n',
    );

    const { options } = await operation(
      'label',
      `--categories=@${folder.file('meanings.json')}`,
      `--examples=@${folder.file('labelled.csv')}`,
      '--model=test/rules',
      '--temperature=0.5',
      '--max-tokens=40',
      '--options={"allowNone": true}',
    );

    expect(options).toEqual({
      categories: ['praise', 'complaint'],
      categoryDescriptions: { praise: 'is glad', complaint: 'is not' },
      examples: [
        { content: 'Good, "really"', labels: ['praise'] },
        { content: 'Bad', labels: ['complaint'] },
      ],
      model: 'test/rules',
      temperature: 0.5,
      maxOutputTokens: 40,
      allowNone: true,
    });
  });

  it('of label with several labels', async () => {
    writeFileSync(
      folder.file('several.csv'),
      'text,labels\nBoth,"[""a"",""b""]"\nOne,a\nTwo,a | b\n',
    );

    const { options } = await operation(
      'label',
      '--categories=a,b',
      '--multi',
      `--examples=@${folder.file('several.csv')}`,
    );

    expect(options.multiLabel).toBe(true);
    expect(options.examples).toEqual([
      { content: 'Both', labels: ['a', 'b'] },
      { content: 'One', labels: ['a'] },
      { content: 'Two', labels: ['a', 'b'] },
    ]);
  });

  it('of label and enrich with names as JSON', async () => {
    const { options } = await operation('label', '--categories=["a, b", "c"]');
    const enriched = await operation('enrich', '--fields=[{"name": "mood"}]');

    expect(options.categories).toEqual(['a, b', 'c']);
    expect(enriched.options.fields).toEqual([{ name: 'mood' }]);
  });

  it('of label with examples that have a quote inside of a cell', async () => {
    writeFileSync(folder.file('quotes.csv'), 'text,label\nA 5" screen,a\n"B, ""b""",b\n');
    writeFileSync(folder.file('open.csv'), 'text,label\nA,a\n"B,b\nC,c\n');

    const { options } = await operation(
      'label',
      '--categories=a,b',
      `--examples=@${folder.file('quotes.csv')}`,
    );
    const broken = operation('label', '--categories=a,b', `--examples=@${folder.file('open.csv')}`);

    expect(options.examples).toEqual([
      { content: 'A 5" screen', labels: ['a'] },
      { content: 'B, "b"', labels: ['b'] },
    ]);
    await expect(broken).rejects.toThrow(
      "--examples must have a comma or a line's end behind a quoted cell; line 3 does not",
    );
  });

  it('of the others', async () => {
    const schema = { year: 'integer' };
    const given = `--schema=${JSON.stringify(schema)}`;

    expect((await operation('extract', given)).options).toEqual({ schema });
    expect((await operation('enrich', '--fields=mood, topic')).options).toEqual({
      fields: ['mood', 'topic'],
    });
    expect((await operation('run', '--instructions=Translate', given)).options).toEqual({
      instructions: 'Translate',
      responseFormat: { type: 'json_schema', schema },
    });
    expect((await operation('chat', given)).options).toEqual({ responseSchema: schema });
    expect(
      (await operation('summarize', '--system=Be brief', '--template={text}')).options,
    ).toEqual({ systemPrompt: 'Be brief', userPromptTemplate: '{text}' });
  });
});

it.each([
  [
    'a,b\n1,2',
    [
      ['a', 'b'],
      ['1', '2'],
    ],
  ],
  [
    'a,b\r\n"x\r\ny",\r\n\r\n,2\r\n',
    [
      ['a', 'b'],
      ['x\r\ny', ''],
      ['', '2'],
    ],
  ],
  ['\ufeffa\n"say ""hi"""\n', [['a'], ['say "hi"']]],
])('reads the small CSV %j', (text, rows) => {
  expect(readTable(text)).toEqual(rows);
});

it('gives a command the same key whatever order its options have, and another for another', () => {
  const facts = { path: 'a.csv', isNew: false, operation: { a: 1, b: 2 } };
  const key = keyOf('00', facts);

  expect(keyOf('00', { ...facts, operation: { b: 2, a: 1 } })).toBe(key);
  expect(keyOf('00', { ...facts, path: '/elsewhere/b.csv' })).toBe(key);
  const others = [
    keyOf('01', facts),
    keyOf('00', { ...facts, operation: { a: 1, b: 3 } }),
    keyOf('00', { ...facts, path: 'a.txt' }),
    keyOf('00', { ...facts, isNew: true }),
    keyOf('00', { ...facts, isNew: true }),
  ];
  expect(new Set([key, ...others]).size).toBe(6);
});

describe('help', () => {
  it('lists every command', async () => {
    const { code, out } = await folder.run(['--help']);

    expect(code).toBe(0);
    for (const { name, summary } of commands)
      expect(out).toMatch(new RegExp(`${name}.*${summary}`));
  });

  it.each(commands.map((command) => [command.name, command] as const))(
    'of %s has its flags and an example',
    (name, command) => {
      const text = commandHelp(command);

      for (const flag of command.flags) expect(text).toContain(`--${flag}`);
      expect(text).toContain(`\n  winnow ${name}`);
    },
  );

  it('and the version are told with --json too', async () => {
    const version = await folder.json(['--version']);
    const help = await folder.json(['help', 'label']);

    expect(version.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(help.help).toContain('--categories');
  });
});

describe('completion', () => {
  it('in bash gives commands, and the flags of a command', async () => {
    const { out } = await folder.run(['completion', 'bash']);
    const complete = (...words: string[]) =>
      execFileSync('bash', [
        '-c',
        `${out}\nCOMP_WORDS=(winnow ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _winnow; echo "\${COMPREPLY[@]}"`,
      ])
        .toString()
        .trim();

    expect(complete('ba')).toBe('batches');
    expect(complete('label', 'x.csv', '--ca')).toBe('--categories');
    expect(complete('show', '--ca')).toBe('');
    expect(complete('summarize', 'x.csv', '--de')).toBe('--deduplicate --detach');
    expect(complete('quote', '')).toBe('label extract summarize enrich run chat');
    expect(complete('quote', 'su')).toBe('summarize');
    expect(complete('quote', 'summarize', '')).toBe('');
    expect(complete('completion', 'z')).toBe('zsh');
  });

  it.runIf(hasZsh)('in zsh gives the operations of a quote, and files behind them', async () => {
    const { out } = await folder.run(['completion', 'zsh']);
    const complete = (...typed: string[]) =>
      execFileSync('zsh', [
        '-fc',
        `compdef() {}; compadd() { print -- $@ }; _files() { print files }; _describe() { print $1 }
${out}
words=(winnow ${typed.map((word) => `'${word}'`).join(' ')}); CURRENT=$#words; _winnow`,
      ])
        .toString()
        .trim();

    expect(complete('quote', '')).toBe('-- label extract summarize enrich run chat');
    expect(complete('quote', 'label', '')).toBe('files');
    expect(complete('label', '')).toBe('files');
  });

  it('in fish gives the operations of a quote', async () => {
    const { out } = await folder.run(['completion', 'fish']);

    expect(out).toMatch(
      /^complete .*'__fish_seen_subcommand_from quote; .*-a 'label extract summarize enrich run chat'$/m,
    );
  });

  it.each(['zsh', 'fish'])('in %s names every command', async (shell) => {
    const { script } = await folder.json(['completion', shell]);

    for (const { name } of commands) expect(script).toContain(name);
  });
});
