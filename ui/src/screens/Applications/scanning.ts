import { asFailure, type Backend, type Failure, type Instance } from '$lib/backend/backend';

/**
 * Scans every instance that is not being scanned and of which anything is scanned at all. The answer is the first failure, when there was one; the others go on,
 * and each is told on its own instance too.
 */
export async function scanAll(backend: Backend, instances: readonly Instance[]): Promise<Failure | null> {
  const idle = instances.filter((instance) => instance.scanning === null && instance.health !== 'manual');
  const ended = await Promise.allSettled(idle.map((instance) => backend.scan(instance.id, () => {})));
  const refused = ended.find((one) => one.status === 'rejected');
  return refused ? asFailure(refused.reason) : null;
}
