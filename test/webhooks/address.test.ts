import { lookup } from 'node:dns/promises';
import { stat } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { checkWebhookUrl, isAllowedAddress } from '../../src/webhooks/address.ts';
import { sendWebhook } from '../../src/webhooks/client.ts';
import {
  checkWebhookTarget,
  createDialer,
  createResolveName,
  type ResolveName,
} from '../../src/webhooks/dial.ts';
import { closedPort, startCanary, startNameServer, startReceiver } from './support.ts';

const rules = { allowPrivate: false };
const notPublic = 'must name a public address';

/**
 * Spellings of this machine and of its neighbours, most of which some guard or other has let pass.
 */
const privateHosts = [
  '127.0.0.1',
  '127.1',
  '127.0.0.1.',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '%31%32%37.0.0.1',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '127.255.255.254',
  '0.0.0.0',
  '0',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:1]',
  '[::127.0.0.1]',
  '[::7f00:1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::a00:1]',
  '[2002:7f00:1::]',
  '[2002:a00:1::1]',
  '[2001:0:7f00:1::]',
  '[fe80::1]',
  '[fec0::1]',
  '[fd00::1]',
  '[fd00:ec2::254]',
  '[fc00::1]',
  '[ff02::1]',
  '[2001:db8::1]',
  '[3fff::1]',
  '[100::1]',
  '[5f00::1]',
  '[4000::1]',
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '169.254.169.254',
  '0xa9fea9fe',
  '100.64.0.1',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  '192.0.2.1',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'anything.localhost',
  'printer.local',
  'metadata.google.internal',
  'intranet',
];

const publicHosts = [
  'example.com',
  'hooks.example.co.uk.',
  'bücher.example',
  '93.184.215.14',
  '172.15.0.1',
  '172.32.0.1',
  '100.128.0.1',
  '[2606:2800:21f:cb07:6820:80da:af6b:8b2c]',
];

describe('checkWebhookUrl', () => {
  it.each(privateHosts)('refuses https://%s/', (host) => {
    expect(checkWebhookUrl(`https://${host}/hook`, rules)).toBe(notPublic);
  });

  it.each(publicHosts)('takes https://%s/', (host) => {
    expect(checkWebhookUrl(`https://${host}/hook?token=1`, rules)).toBeNull();
    expect(checkWebhookUrl(`https://${host}:8443/hook`, rules)).toBeNull();
  });

  it.each([21, 22, 23, 25, 53, 80, 110, 143, 465, 587, 853, 993])(
    'refuses port %i, wherever it is',
    (port) => {
      expect(checkWebhookUrl(`https://example.com:${port}/`, rules)).toBe(
        `must not use port ${port}`,
      );
      expect(checkWebhookUrl(`https://127.0.0.1:${port}/`, { allowPrivate: true })).toBe(
        `must not use port ${port}`,
      );
    },
  );

  it.each([2375, 2379, 3306, 5432, 6379, 6443, 9200, 10250, 11211, 27017])(
    'refuses port %i of a service',
    (port) => {
      expect(checkWebhookUrl(`https://example.com:${port}/`, rules)).toBe(
        `must not use port ${port}`,
      );
    },
  );

  it.each([
    ['http://example.com/', 'must be an https:// URL'],
    ['ftp://example.com/', 'must be an https:// URL'],
    ['file:///etc/passwd', 'must be an https:// URL'],
    ['javascript:alert(1)', 'must be an https:// URL'],
    ['https://user@example.com/', 'must not contain a user name or password'],
    ['https://user:secret@example.com/', 'must not contain a user name or password'],
    ['https://:secret@example.com/', 'must not contain a user name or password'],
    ['https://example.com\\@127.0.0.1/', 'must not contain white space or backslashes'],
    ['https://exa\tmple.com/', 'must not contain white space or backslashes'],
    [' https://example.com/', 'must not contain white space or backslashes'],
    ['https://example.com/\u0000', 'must not contain white space or backslashes'],
    ['example.com/hook', 'is not a URL such as https://example.com/hook'],
    ['https://', 'is not a URL such as https://example.com/hook'],
    ['https://example.com:99999/', 'is not a URL such as https://example.com/hook'],
    ['', 'is not a URL such as https://example.com/hook'],
    [`https://example.com/${'a'.repeat(2_048)}`, 'must be at most 2048 characters'],
  ])('says of %j: %s', (url, problem) => {
    expect(checkWebhookUrl(url, rules)).toBe(problem);
  });

  it('takes http, loopback and names of the local network where private addresses are allowed', () => {
    const allowed = { allowPrivate: true };

    expect(checkWebhookUrl('http://127.0.0.1:4444/', allowed)).toBeNull();
    expect(checkWebhookUrl('http://localhost/', allowed)).toBeNull();
    expect(checkWebhookUrl('http://receiver:8080/', allowed)).toBeNull();
    expect(checkWebhookUrl('https://[::1]/', allowed)).toBeNull();
    expect(checkWebhookUrl('ftp://localhost/', allowed)).toBe('must be an https:// URL');
  });

  it('classifies what a resolver answers with as it does literals', () => {
    for (const address of ['127.0.0.1', '::1', '::ffff:10.0.0.1', 'fe80::1%eth0', '', 'nonsense']) {
      expect(isAllowedAddress(address, rules)).toBe(false);
    }
    expect(isAllowedAddress('93.184.215.14', rules)).toBe(true);
  });
});

describe('checkWebhookTarget', () => {
  const check = (resolveName: ResolveName) =>
    checkWebhookTarget('https://hooks.example.com/', { ...rules, resolveName });

  it('refuses a name with one address that is not public among public ones', async () => {
    const problem = await check(async () => [
      { address: '93.184.215.14', family: 4 },
      { address: 'fd00::1', family: 6 },
    ]);

    expect(problem).toBe(notPublic);
  });

  it('takes a public name; one without an address is answered as a private one', async () => {
    expect(await check(async () => [{ address: '93.184.215.14', family: 4 }])).toBeNull();
    const unknown = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    expect(await check(() => Promise.reject(unknown))).toBe(notPublic);
    expect(await check(() => Promise.reject(new Error('SERVFAIL')))).toBeNull();
  });

  it('waits two seconds for a name server that is silent', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const answers: (string | null)[] = [];

    void check(() => new Promise(() => {})).then((answer) => answers.push(answer));
    await vi.advanceTimersByTimeAsync(1_999);
    const before = answers.length;
    await vi.advanceTimersByTimeAsync(1);

    expect(before).toBe(0);
    expect(answers).toEqual([null]);
  });

  it('looks nothing up for what the URL alone decides', async () => {
    const never: ResolveName = () => Promise.reject(new Error('looked up'));

    for (const url of ['https://127.0.0.1/', 'http://example.com/']) {
      expect(await checkWebhookTarget(url, { ...rules, resolveName: never })).not.toBeNull();
    }
    expect(
      await checkWebhookTarget('https://93.184.215.14/', { ...rules, resolveName: never }),
    ).toBeNull();
  });
});

describe('the resolver', () => {
  const records = {
    'public.test': ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'],
    'mixed.test': ['93.184.215.14', '::1'],
    'four.test': ['93.184.215.14'],
  };

  it('asks the name servers for both kinds of addresses, and takes one kind where there is no other', async () => {
    const nameServer = await startNameServer(records);
    const resolveName = createResolveName({ ...rules, nameServers: [nameServer.address] });

    expect(await resolveName('public.test')).toEqual([
      { address: '93.184.215.14', family: 4 },
      { address: '2606:2800:21f:cb07:6820:80da:af6b:8b2c', family: 6 },
    ]);
    expect(await resolveName('four.test')).toEqual([{ address: '93.184.215.14', family: 4 }]);
    await expect(resolveName('nothing.test')).rejects.toThrow('ENOTFOUND');
    expect(await checkWebhookTarget('https://public.test/', { ...rules, resolveName })).toBeNull();
    expect(await checkWebhookTarget('https://mixed.test/', { ...rules, resolveName })).toBe(
      notPublic,
    );
    expect(await checkWebhookTarget('https://nothing.test/', { ...rules, resolveName })).toBe(
      notPublic,
    );
    await nameServer.close();
  });

  it('that waits for silent name servers keeps neither files nor other names waiting', async () => {
    const nameServer = await startNameServer(null);
    const resolveName = createResolveName({ ...rules, nameServers: [nameServer.address] });
    const waiting = Array.from({ length: 50 }, (_, nth) => resolveName(`silent${nth}.test`));
    const outcome = Promise.allSettled(waiting);

    const first = await Promise.race([
      Promise.all([stat('.'), lookup('localhost')]).then(() => 'the others'),
      Promise.race(waiting).catch(() => 'a silent name'),
    ]);
    expect(first).toBe('the others');

    await nameServer.close();
    expect(new Set((await outcome).map(({ status }) => status))).toEqual(new Set(['rejected']));
  });
});

describe('sending', () => {
  const noPublicAddress = 'the name has no public address';
  let canary: Awaited<ReturnType<typeof startCanary>>;
  let canary6: Awaited<ReturnType<typeof startCanary>> | null;
  const message = { headers: {}, body: '{}' };

  beforeAll(async () => {
    canary = await startCanary();
    canary6 = await startCanary('::1').catch(() => null); // not every container has IPv6
  });
  afterAll(async () => {
    await canary.close();
    await canary6?.close();
  });

  it.each(privateHosts)('to %s connects to nothing, whatever the outbox says', async (host) => {
    const resolveName: ResolveName = async () => [{ address: '127.0.0.1', family: 4 }];

    for (const scheme of ['http', 'https']) {
      for (const port of [canary.port, canary6?.port ?? canary.port]) {
        const answer = await sendWebhook(
          { ...message, url: `${scheme}://${host}:${port}/` },
          { ...rules, resolveName },
        );
        // Of http that it is no https, which says nothing of the host either.
        expect(answer).toMatchObject({
          outcome: 'failed',
          error: scheme === 'http' ? 'the URL must be an https:// URL' : noPublicAddress,
          cause: 'blocked address',
        });
      }
    }
    expect(canary.accepted + (canary6?.accepted ?? 0)).toBe(0);
  });

  it('goes by the rules of today for a URL that was stored under others', async () => {
    const resolveName: ResolveName = async () => [{ address: '127.0.0.1', family: 4 }];

    for (const [url, error] of [
      [`http://u:p@127.0.0.1:${canary.port}/`, 'the URL must not contain a user name or password'],
      [`ftp://127.0.0.1:${canary.port}/`, 'the URL must be an https:// URL'],
    ] as const) {
      const answer = await sendWebhook({ ...message, url }, { allowPrivate: true, resolveName });
      expect(answer).toMatchObject({ error, cause: 'blocked address' });
    }
    expect(canary.accepted).toBe(0);
  });

  it('checks literals again where they are dialled', async () => {
    for (const hostname of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1']) {
      const dialer = createDialer({ ...rules, resolveName: async () => [], timeoutMs: 1_000 });
      const error = await new Promise((resolve) =>
        dialer.connect({ hostname, protocol: 'http:', port: String(canary.port) }, (...[failure]) =>
          resolve(failure),
        ),
      );
      expect(error).toMatchObject({ name: 'BlockedAddress' });
    }
    expect(canary.accepted).toBe(0);
  });

  it.each([
    ['loopback', ['127.0.0.1']],
    ['mapped loopback', ['::ffff:127.0.0.1']],
    ['a public address and loopback', ['93.184.215.14', '127.0.0.1']],
    ['a public address and loopback of IPv6', ['93.184.215.14', '::1']],
    ['NAT64 of loopback', ['64:ff9b::7f00:1']],
  ])('to a name that stands for %s connects to nothing', async (_what, addresses) => {
    const asked: string[] = [];
    const resolveName: ResolveName = async (hostname) => {
      asked.push(hostname);
      return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    };

    const answer = await sendWebhook(
      { ...message, url: `https://hooks.example.com:${canary.port}/` },
      { ...rules, resolveName },
    );

    expect(asked).toEqual(['hooks.example.com']);
    expect(answer).toMatchObject({ error: noPublicAddress, cause: 'blocked address' });
    expect(canary.accepted).toBe(0);
  });

  it('to a name that was public at submit and is loopback now connects to nothing', async () => {
    const answers = [['93.184.215.14'], ['127.0.0.1'], ['127.0.0.1']];
    const rebinding: ResolveName = async () =>
      (answers.shift() ?? ['127.0.0.1']).map((address) => ({ address, family: 4 }));
    const url = `https://rebind.example.com:${canary.port}/`;

    expect(await checkWebhookTarget(url, { ...rules, resolveName: rebinding })).toBeNull();
    const answer = await sendWebhook({ ...message, url }, { ...rules, resolveName: rebinding });

    expect(answer).toMatchObject({ error: noPublicAddress, cause: 'blocked address' });
    expect(canary.accepted).toBe(0);
    // Looked up once per attempt: there is no second answer to dial
    expect(answers).toHaveLength(1);
  });

  it('dials the address that was looked up, not another look-up of the name', async () => {
    const receiver = await startReceiver();
    const resolveName: ResolveName = async () => [{ address: '127.0.0.1', family: 4 }];

    const answer = await sendWebhook(
      { ...message, url: `http://no-such-name.invalid:${receiver.port}/` },
      { allowPrivate: true, resolveName },
    );

    expect(answer.outcome).toBe('delivered');
    expect(receiver.received[0]?.headers.host).toBe(`no-such-name.invalid:${receiver.port}`);
    await receiver.close();
  });

  it('follows no redirect to a private address', async () => {
    const receiver = await startReceiver((response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${canary.port}/` }).end(),
    );

    const answer = await sendWebhook(
      { ...message, url: receiver.url },
      { allowPrivate: true, resolveName: createResolveName({ allowPrivate: true }) },
    );

    expect(answer).toMatchObject({ outcome: 'failed', statusCode: 302 });
    expect(canary.accepted).toBe(0);
    await receiver.close();
  });

  it('tells the tenant the same of a blocked, a private, a silent and an unknown name', async () => {
    const silent = await startCanary();
    const resolveName: ResolveName = async (hostname) => {
      if (hostname === 'nameless.example.com') throw new Error('ENOTFOUND');
      if (hostname === 'empty.example.com') return [];
      if (hostname === 'slow.example.com') await new Promise(() => undefined);
      return [{ address: '127.0.0.1', family: 4 }];
    };
    const names = ['private', 'nameless', 'empty', 'slow'];

    const answers = [
      await sendWebhook({ ...message, url: 'https://127.0.0.1:4444/' }, { ...rules, resolveName }),
    ];
    for (const name of names) {
      const url = `https://${name}.example.com:${silent.port}/`;
      answers.push(
        await sendWebhook({ ...message, url }, { ...rules, resolveName, timeoutMs: 200 }),
      );
    }

    expect(answers.map(({ cause }) => cause)).toEqual([
      'blocked address',
      'blocked address',
      'no address',
      'no address',
      'timed out',
    ]);
    expect(new Set(answers.map(({ error }) => error))).toEqual(new Set([noPublicAddress]));
    expect(silent.accepted).toBe(0);
    await silent.close();
  });

  it('tells the tenant why an address that may be called gave no answer', async () => {
    const resolveName: ResolveName = async (hostname) => {
      if (hostname === 'nameless.example.com') throw new Error('ENOTFOUND');
      return [{ address: '127.0.0.1', family: 4 }];
    };
    const closed = await closedPort();
    const silent = await startCanary();
    const send = async (url: string) =>
      (await sendWebhook({ ...message, url }, { allowPrivate: true, resolveName, timeoutMs: 200 }))
        .error;

    expect(await send(`http://127.0.0.1:${closed}/`)).toBe('the connection was refused');
    expect(await send(`http://named.example.com:${closed}/`)).toBe('the connection was refused');
    expect(await send(`http://127.0.0.1:${silent.port}/`)).toBe('timed out after 0.2 s');
    expect(await send('http://nameless.example.com/')).toBe('the name has no address');
    await silent.close();
  });
});
