/**
 * Winnow in a process of its own, as main.ts starts it: tells over IPC where it listens and how
 * much CPU it has used.
 */
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/core/log.ts';
import { startService } from '../../src/service.ts';

const config = readConfig({ ...process.env, PORT: '0' });
const service = await startService(config, createLog(config.logLevel, config));
process.on('message', (message) => {
  const { user, system } = process.cpuUsage();
  const { rss } = process.memoryUsage();
  const answer = { cpuMicros: user + system, rss };
  if (message === 'stop') {
    void service.stop({ hurry: true }).then(() => {
      process.send?.(answer, () => process.exit(0));
    });
  } else process.send?.(answer);
});
process.send?.({ url: service.url });
