package workspacedb

import "muster/internal/store/accountdb"

// Accounts returns the people of a workspace that several use, who are kept beside
// what they answer.
func (d *DB) Accounts() accountdb.Accounts { return accountdb.New(d.db, d.write, d.read) }
