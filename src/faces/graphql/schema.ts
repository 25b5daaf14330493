/** The schema: importing a file defines its types. */
import './item.ts';
import './item-list.ts';
import './answer-sums.ts';
import './operation.ts';
import './batch.ts';
import './batch-list.ts';
import './provider-batch.ts';
import './file.ts';
import './upload-file.ts';
import './parse-results.ts';
import './output-url.ts';
import './batch-mutations.ts';
import './submit-batch.ts';
import './quote.ts';
import './subscriptions.ts';
import './service.ts';
import './provider-states.ts';
import './spending.ts';
import './api-keys.ts';
import './owner-limits.ts';
import './webhook-secret.ts';
import { builder } from './builder.ts';
import { countListValues } from './list-values.ts';
import { guardRoots } from './scopes.ts';

export const schema = guardRoots(countListValues(builder.toSchema()));
