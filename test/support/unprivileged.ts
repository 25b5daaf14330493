/** The account of programs that do not run as root: Postgres, PgBouncer. */
import { spawnSync } from 'node:child_process';

/** Null where this process is not root, and programs may run as itself. */
export function unprivileged(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const idOf = (flag: string) => Number(spawnSync('id', [flag, 'nobody']).stdout.toString());
  return { uid: idOf('-u'), gid: idOf('-g') };
}
