// What a page does with the package: bundled for a browser, run without Node's globals.
import { Winnow } from 'winnow-client';

export async function run(url) {
  const winnow = new Winnow({ url });
  const { results } = await winnow.label(['I love it'], { categories: ['praise', 'complaint'] });
  const told = [];
  const file = await winnow.files.upload(new Blob(['a text\n']), {
    name: 'a.txt',
    onProgress: (progress) => told.push(progress),
  });
  const batch = await winnow.batches.submit({ summarize: {}, source: file });
  await batch.done();
  const lines = await batch.getOutput('jsonl');
  return { label: results[0].label, told, status: batch.status, lines: lines.split('\n').length };
}
