// A program that uses the package, and ends by itself.
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { BatchFailed, Winnow } from 'winnow-client';

const winnow = new Winnow();
const said = [];

const { results } = await winnow.label(['I love it'], { categories: ['praise', 'complaint'] });
said.push(results[0].label);
await winnow.extract(['x'], { schema: { company: 'string' } });
await winnow.summarize(['One. Two.']);
await winnow.enrich(['x'], { fields: ['sentiment', { name: 'topic' }] });
await winnow.run(['x'], { instructions: 'Translate.' });

const path = process.argv[2];
const file = await winnow.files.upload(path, { contentField: 'text' });
await winnow.files.upload(Readable.toWeb(createReadStream(path)), { format: 'csv' });
const batch = await winnow.batches.submit({
  label: { categories: ['praise', 'complaint'] },
  source: file,
});
for await (const { progress } of batch.watch()) if (progress === 1) said.push('watched');
for await (const { status } of batch.results()) said.push(status);
for await (const { customId } of batch.items()) {
  said.push(customId);
  break;
}
said.push((await batch.getOutput('csv')).split('\n').length);
for await (const piece of batch.output('jsonl')) said.push(piece.length > 0);

const draft = await winnow.batches.submit({ summarize: {}, source: ['x'], autoStart: false });
for await (const { status } of draft.watch()) {
  said.push(status);
  break;
}
await draft.cancel();
await draft.done().catch((error) => said.push(error instanceof BatchFailed));
for await (const { id } of winnow.batches.list()) {
  said.push(id === draft.id);
  break;
}
process.stdout.write(JSON.stringify(said));
