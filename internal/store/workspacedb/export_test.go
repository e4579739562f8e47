package workspacedb

import "muster/internal/store"

// Migrations are the embedded migrations.
var Migrations = store.Archive(schema)
