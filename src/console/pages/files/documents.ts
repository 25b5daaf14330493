/** Queries and mutations of the pages of files. */

import { BatchStateFields } from '../../data/batch-fields.ts';
import { graphql, type ResultOf } from '../../data/graphql.ts';

const FileRowFields = graphql(`
  fragment FileRowFields on File @_unmask {
    id
    name
    format
    itemCount
    sizeBytes
    rejectedCount
    createdAt
  }
`);

export type FileRow = ResultOf<typeof FileRowFields>;

export const FilesPage = graphql(
  `
    query FilesPage($first: Int!, $after: String) {
      files(first: $first, after: $after) {
        totalCount
        pageInfo {
          endCursor
          hasNextPage
        }
        edges {
          node {
            ...FileRowFields
          }
        }
      }
    }
  `,
  [FileRowFields],
);

export const OneFile = graphql(
  `
    query OneFile($id: ID!) {
      file(id: $id) {
        ...FileRowFields
        columns
        contentField
        customIdField
        encoding
        blankCount
        warnings
        rejections {
          row
          reason
        }
      }
    }
  `,
  [FileRowFields],
);

/** Apart, since rows of many MB are refused. */
export const FirstRows = graphql(`
  query FirstRows($id: ID!, $first: Int!) {
    file(id: $id) {
      id
      preview(first: $first)
    }
  }
`);

/** The newest batches over a file. */
export const BatchesOver = graphql(
  `
    query BatchesOver($fileId: ID!) {
      batches(filter: { fileId: $fileId }, first: 20) {
        totalCount
        edges {
          node {
            ...BatchStateFields
            name
            operation
          }
        }
      }
    }
  `,
  [BatchStateFields],
);

export const DeleteFile = graphql(`
  mutation DeleteFile($id: ID!) {
    deleteFile(id: $id) {
      deletedId
    }
  }
`);
