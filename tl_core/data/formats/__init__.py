"""Read and check what people have on disk: folders, archives, tables, and the files of other libraries."""
