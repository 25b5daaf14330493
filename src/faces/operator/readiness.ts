/** The readiness of this process for requests or work, as a balancer asks it. */

/** The checks of a process, in the order in which a failed one gives the status its name. */
const checkNames = ['database', 'migrations', 'adopt', 'worker'] as const;
type CheckName = (typeof checkNames)[number];

/** The answer of `GET /readyz`. */
interface Readiness {
  status: 'ready' | 'stopping' | CheckName;
  /** True: it is so. A check that this process does not have is absent. */
  checks: Partial<Record<CheckName, boolean>>;
}

export interface ReadinessChecks {
  /** Adds a check, or replaces it. One that rejects, or takes longer than 2 s, is false. */
  add(name: CheckName, check: () => boolean | Promise<boolean>): void;
  /** From now on the status is `stopping`, and the checks are those of the last look. */
  stop(): void;
  /** Looks at all checks; who asks meanwhile shares the look. Never rejects. */
  look(): Promise<Readiness>;
}

/** A load balancer has a limit of its own. */
const patienceMs = 2_000;

/** Without a database, and not migrated, until checks say otherwise. */
export function createReadiness(): ReadinessChecks {
  const checks = new Map<CheckName, () => boolean | Promise<boolean>>();
  let stopping = false;
  let seen: Readiness['checks'] = {};
  let looking: Promise<void> | null = null;
  checks.set('database', () => false);
  checks.set('migrations', () => false);

  async function ask(): Promise<void> {
    const entries = checkNames.flatMap((name) => {
      const check = checks.get(name);
      return check ? [inTime(check).then((isSo) => [name, isSo] as const)] : [];
    });
    seen = Object.fromEntries(await Promise.all(entries));
    looking = null;
  }

  return {
    add: (name, check) => void checks.set(name, check),
    stop() {
      stopping = true;
    },
    async look() {
      if (!stopping) {
        looking ??= ask();
        await looking;
      }
      const failed = checkNames.find((name) => seen[name] === false);
      return { status: stopping ? 'stopping' : (failed ?? 'ready'), checks: seen };
    },
  };
}

async function inTime(check: () => boolean | Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, patienceMs, false);
    timer.unref();
  });
  try {
    return await Promise.race([check(), late]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
