import { expect, test } from 'vitest';
import { createEvents } from '../../src/telemetry/events.ts';

const fact = { batch: 'batch_1', code: 'INVALID_KEY' };

function start() {
  const lines: object[] = [];
  const error = (fields: object) => void lines.push(fields);
  return { events: createEvents({ error }), lines };
}

test('an event is told at once to each of its listeners, and to those of no other event', () => {
  const { events } = start();
  const heard: unknown[] = [];
  events.on('batch.stopped', (told) => heard.push(['one', told]));
  events.on('batch.stopped', (told) => heard.push(['another', told]));
  events.on('batch.ended', () => heard.push('the end'));

  events.emit('batch.stopped', fact);

  expect(heard).toEqual([
    ['one', fact],
    ['another', fact],
  ]);
});

test('who has stopped listening is told nothing, and is not counted', () => {
  const { events } = start();
  const heard: string[] = [];
  const has = () => events.has('batch.stopped');
  const states = [has()];
  const off = events.on('batch.stopped', () => heard.push('one'));
  const offOther = events.on('batch.stopped', () => heard.push('another'));

  off();
  states.push(has());
  events.emit('batch.stopped', fact);
  offOther();
  states.push(has());
  // A second end changes nothing.
  events.on('batch.stopped', () => heard.push('late'));
  off();
  offOther();
  states.push(has());

  expect(heard).toEqual(['another']);
  expect(states).toEqual([false, true, false, true]);
});

test('a listener that throws disturbs neither the others nor who tells, and the log has it', () => {
  const { events, lines } = start();
  const heard: string[] = [];
  const bug = new Error('a bug');
  events.on('batch.stopped', () => {
    throw bug;
  });
  events.on('batch.stopped', () => heard.push('another'));

  events.emit('batch.stopped', fact);

  expect(heard).toEqual(['another']);
  expect(lines).toEqual([{ err: bug, event: 'batch.stopped' }]);
});
