/** The files that are here, and one of them. */

import { FilePage } from './file.tsx';
import { FileList } from './list.tsx';
import './files.css';

export function FilesPage({ params }: { params?: { id?: string } }) {
  return params?.id ? <FilePage key={params.id} id={params.id} /> : <FileList />;
}
