/**
 * `npm run check:deploy`: holds what is in deploy, and the Dockerfile, to programs that read such
 * files. It installs nothing. A check whose program is missing is named and not counted as passed.
 * `npm run check:deploy -- compose rules` makes the named checks alone.
 */
import { type Check, findProgram } from './checks.ts';
import { compose } from './compose.ts';
import { helm } from './helm.ts';
import { image } from './image.ts';
import { dashboard, rules } from './prometheus.ts';
import { caddy, nginx } from './proxy.ts';

const checks: Readonly<Record<string, Check>> = {
  image,
  compose,
  rules,
  dashboard,
  helm,
  nginx,
  caddy,
};

interface Ending {
  name: string;
  outcome: 'passed' | 'failed' | 'not checked';
}

async function make(id: string, check: Check): Promise<Ending> {
  const title = `${id}: ${check.name}`;
  const missing = Object.entries(check.needs).filter(([program]) => findProgram(program) === null);
  if (missing.length > 0) {
    const packages = missing.map(([program, origin]) => `${program} (${origin})`).join(', ');
    console.log(`NOT CHECKED ${title}\n  it needs ${packages}`);
    return { name: id, outcome: 'not checked' };
  }
  const began = performance.now();
  const seconds = () => `${((performance.now() - began) / 1_000).toFixed(0)} s`;
  try {
    const seen = await check.run();
    console.log(`ok ${title}\n  ${seen}; ${seconds()}`);
    return { name: id, outcome: 'passed' };
  } catch (error) {
    const text = textOf(error);
    console.log(`FAILED ${title}, ${seconds()}\n${text}`);
    return { name: id, outcome: 'failed' };
  }
}

/** A socket that is closed fails with its event, which has a code and a reason. */
function textOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  const { code, reason } = error as { code?: unknown; reason?: unknown };
  return code === undefined ? String(error) : `a socket was closed: ${code} ${reason}`;
}

const named = process.argv.slice(2);
const chosen = Object.entries(checks).filter(([id]) => named.length === 0 || named.includes(id));
// All at once: most of the time of some is waiting.
const endings = await Promise.all(chosen.map(([id, check]) => make(id, check)));
const count = (outcome: Ending['outcome']) =>
  endings.filter((ending) => ending.outcome === outcome).length;
const unchecked = endings.filter(({ outcome }) => outcome === 'not checked');
if (unchecked.length > 0)
  console.log(`not checked, and not passed: ${unchecked.map(({ name }) => name).join(', ')}`);
console.log('Docker, Kubernetes, Helm and Grafana themselves: not tried here');
console.log(`${count('passed')} passed, ${count('failed')} failed`);
process.exitCode = count('failed') === 0 && chosen.length > 0 ? 0 : 1;
