package config

// A KeyFile is one file of a key folder, as an accreditor wants to know it.
type KeyFile struct {
	Name   string
	Holds  string
	Secret bool
	Ends   string // when it is destroyed
	Lost   string // what follows if it is lost
}

// HostKeyFiles returns the files of a host's key folder.
func HostKeyFiles() []KeyFile {
	const (
		newCharter = "a new charter, and members submit again"
		wipe       = "with the wipe"
	)
	return []KeyFile{
		{fileSigning, "Ed25519 key: signs cards, charters, rosters, amendments, the record and the attestation of the wipe", true, "when the host takes part no more", "the host cannot speak for itself: a new charter"},
		{fileTLSKey, "Ed25519 key of the host's TLS certificate", true, "with the cycle", "the host cannot be reached: a new charter"},
		{fileCertificate, "the certificate of that key, self-signed; the charter pins the key", false, "with the cycle", "made again from nothing: a new charter"},
		{fileHPKE, "HPKE keys to which members seal this host's half of a submission", true, wipe, "what was submitted cannot be opened: " + newCharter},
		{fileSeed, "the seed that both hosts drew; the verification key follows from it", true, wipe, "nothing can be verified: " + newCharter},
		{fileSeedPart, "this host's part of the seed", true, wipe, "nothing, once the ceremony is finished"},
		{fileCycle, "AES-256 key under which shares are sealed in the database", true, wipe, "the shares in the database cannot be read: " + newCharter},
	}
}
