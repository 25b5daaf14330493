/**
 * No single request stops, freezes or fills the process. Beside each of these a tiny query waits at
 * most 250 ms longer than without it and a small read of another owner at most a second, memory
 * rises by at most 150 MB, and nothing crashes: the one test that asserts times. For each new
 * field, route and input, answer these and add a case:
 *
 * 1. What is done before it is known who asks? Headers may be read, nothing else.
 * 2. What is a product of two things that the caller chose (fragments, aliases x items, template x
 * row, answers x schema, page x row)?
 *    Count it first.
 * 3. In which line does another owner, or the worker, wait too (event loop, connections, claims,
 * model calls)? There owners take
 *    turns, or the line is another.
 */
import './one-request/budget.ts';
import './one-request/doors.ts';
import './one-request/faces.ts';
import './one-request/forms.ts';
import './one-request/provider-batches.ts';
import './one-request/reads.ts';
import './one-request/schemas.ts';
