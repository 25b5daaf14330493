/** Which errors are the database's, whatever driver and wrapper they come by. */
import { describe, expect, it } from 'vitest';
import {
  absenceCode,
  ConnectionLost,
  databaseFailure,
  ofDriver,
} from '../../src/db/driver/failure.ts';

function coded(code: string, cause?: unknown): Error {
  return Object.assign(new Error(`failed with ${code}`, { cause }), { code });
}

describe('an error', () => {
  it.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'ENOTFOUND',
    'CONNECT_TIMEOUT',
    'CONNECTION_CLOSED',
    '08006',
    '25006',
    '28P01',
    '3D000',
    '53300',
    '57P01',
    '57P03',
  ])('of a driver with the code %s is DATABASE_UNAVAILABLE, also inside another', (code) => {
    const error = ofDriver(coded(code));

    for (const failed of [error, new Error('Failed query', { cause: error })]) {
      expect(databaseFailure(failed)).toMatchObject({
        code: 'DATABASE_UNAVAILABLE',
        cause: failed,
      });
    }
  });

  it('of a connection that was given up is DATABASE_UNAVAILABLE', () => {
    expect(databaseFailure(new ConnectionLost('x'))?.code).toBe('DATABASE_UNAVAILABLE');
  });

  it('of a full disk is STORAGE_FULL', () => {
    expect(databaseFailure(coded('53100'))?.code).toBe('STORAGE_FULL');
    expect(absenceCode(coded('53100'))).toBeNull();
  });

  it.each([
    '22021',
    '23505',
    '42P01',
    '42601',
    '40P01',
    '42501',
    '53200',
    '57014',
    '58030',
    'ERR_INVALID_ARG_TYPE',
    '',
  ])('of a driver with the code %s says nothing of the database, and stays a bug', (code) => {
    expect(databaseFailure(ofDriver(coded(code)))).toBeNull();
  });

  it.each(['ENOENT', 'ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND'])(
    'of a file or of a provider with the code %s is none of the database’s',
    (code) => {
      const error = coded(code);

      for (const failed of [error, new Error('a call failed', { cause: error })]) {
        expect(databaseFailure(failed)).toBeNull();
        expect(absenceCode(failed)).toBeNull();
      }
    },
  );

  it('that goes round in its causes comes to an end', () => {
    const error = new Error('x');
    error.cause = error;

    expect(databaseFailure(error)).toBeNull();
    expect(databaseFailure('no error at all')).toBeNull();
  });
});
