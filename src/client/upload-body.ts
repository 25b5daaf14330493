/** Bodies of uploads, which tell how far they are. */
import type { Cut } from './cut.ts';
import { runtime } from './settings.ts';
import type { Sent } from './transport.ts';
import type { Upload } from './upload-source.ts';

export interface UploadProgress {
  /** Bytes that the connection has taken. */
  sentBytes: number;
  /** Null for a stream, whose length nobody knows. */
  totalBytes: number | null;
}

type OnProgress = ((progress: UploadProgress) => void) | undefined;

/** Longer than an upload of 100 MB takes, where nothing tells of its progress. */
const wholeUploadMs = 3_600_000;

const maxPieceBytes = 65_536;

export interface UploadBody {
  /** Makes the request, once for each time that it is sent. */
  sent(cut: Cut): Sent;
  /** The server has all of it. */
  arrived(): void;
}

export async function bodyOf(upload: Upload, onProgress: OnProgress): Promise<UploadBody> {
  const headers = { 'content-type': upload.contentType ?? 'application/octet-stream' };
  // Browsers do not take a stream as a body over HTTP/1.1.
  const whole = runtime()?.versions?.node === undefined ? await upload.blob?.() : undefined;
  if (!whole) {
    return {
      sent: (cut) => {
        const body = streamOf(upload, cut, onProgress);
        return { method: 'POST', headers, body, duplex: 'half' };
      },
      arrived: () => undefined,
    };
  }
  const tell = (sentBytes: number) => onProgress?.({ sentBytes, totalBytes: whole.size });
  return {
    sent(cut) {
      cut.moved(wholeUploadMs);
      tell(0);
      return { method: 'POST', headers, body: whole };
    },
    arrived: () => tell(whole.size),
  };
}

/** The pieces of an upload as they are asked for. A source that fails cuts the request off. */
function streamOf(upload: Upload, cut: Cut, onProgress: OnProgress): ReadableStream<Uint8Array> {
  const pieces = inParts(upload.open());
  let sentBytes = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await pieces.next();
        cut.moved();
        if (done) return controller.close();
        controller.enqueue(value);
        sentBytes += value.length;
        onProgress?.({ sentBytes, totalBytes: upload.totalBytes });
      } catch (error) {
        cut.because(error as Error);
        throw error;
      }
    },
    async cancel() {
      await pieces.return();
    },
  });
}

/** A Blob in memory is one piece, of which there would be nothing to tell. */
async function* inParts(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += maxPieceBytes) {
      yield piece.subarray(at, at + maxPieceBytes);
    }
  }
}
