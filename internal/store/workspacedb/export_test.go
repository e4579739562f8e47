package workspacedb

// Migrations are the embedded migrations.
var Migrations = migrations
