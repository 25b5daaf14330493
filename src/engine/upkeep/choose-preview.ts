/** A step of the preparation, for batches with a preview: chooses the items that go first. */
import type { Database } from '../../db/driver/client.ts';
import { choosePreview, listUnchosen } from '../../db/previews.ts';
import type { Nudges } from '../process/nudges.ts';
import { batchesAtOnce, type PreparationStep } from './prepare.ts';

export function choosePreviews({
  db,
  nudges,
}: {
  db: Database;
  nudges: Nudges;
}): PreparationStep<bigint> {
  return {
    does: 'choose the items of a preview',
    list: () => listUnchosen(db.sql, batchesAtOnce),
    async advance(key) {
      if ((await choosePreview(db.sql, key)) === null) return 'left';
      await nudges.send(key, 'work');
      return 'done';
    },
  };
}
