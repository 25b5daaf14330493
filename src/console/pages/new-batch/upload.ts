/** Sends a file to the server, and tells how far it is: fetch tells no progress of a body. */
import { key, refuseKey } from '../../data/key.ts';
import { addressOf } from '../../data/root.ts';

export interface Upload {
  /** Resolves to the id of the file; rejects with a sentence for people. */
  done: Promise<string>;
  cancel(): void;
}

export function upload(file: File, told: (share: number) => void): Upload {
  const request = new XMLHttpRequest();
  const done = new Promise<string>((resolve, reject) => {
    request.open('POST', `${addressOf('/files')}?name=${encodeURIComponent(file.name)}`);
    const sent = key.get();
    if (sent !== null) request.setRequestHeader('authorization', `Bearer ${sent}`);
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = ({ loaded, total }) => told(total > 0 ? loaded / total : 0);
    request.onload = () => {
      if (request.status === 401) refuseKey(sent);
      const answer = readAnswer(request.responseText);
      if (request.status === 201 && answer.id) resolve(answer.id);
      else reject(new Error(answer.error ?? `The server answered ${request.status}.`));
    };
    request.onerror = () => reject(new Error('The server cannot be reached.'));
    request.onabort = () => reject(new Error('The upload was stopped.'));
    request.send(file);
  });
  return { done, cancel: () => request.abort() };
}

function readAnswer(text: string): { id?: string; error?: string } {
  try {
    const { id, error } = JSON.parse(text) as { id?: string; error?: { message?: string } };
    return { id, error: error?.message };
  } catch {
    return {};
  }
}
