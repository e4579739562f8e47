package config

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
)

// The files of a key folder. All but the certificate are secret.
const (
	fileSigning     = "signing.key"
	fileTLSKey      = "tls.key"
	fileCertificate = "tls.crt"
	fileHPKE        = "hpke.key"
	fileCycle       = "cycle.key"
	fileSeedPart    = "seed-part"
	fileSeed        = "seed"
)

// The first lines of the files that are ours.
const (
	formatHPKE     = "muster HPKE keys v1"
	formatCycle    = "muster cycle key v1"
	formatSeedPart = "muster seed part v1"
	formatSeed     = "muster seed v1"
)

// CycleKeySize is the length of a cycle key, in bytes.
const CycleKeySize = 32

// maxSecret bounds a secret file: the hybrid HPKE key is some 1,700 characters.
const maxSecret = 64 << 10

// KeyFolder is the folder in which a role keeps its secrets, each in a file of
// its own that nobody else on the machine may read. A file is written whole or
// not at all and never replaced; those that make a key return the one that is
// there already, so that an interrupted command may be repeated.
type KeyFolder struct{ Dir string }

// Signer returns the signing key.
func (k KeyFolder) Signer() (*keys.Signer, error) {
	data, err := k.read(fileSigning, "signing key")
	if err != nil {
		return nil, err
	}
	signer, err := keys.ParseSigner(strings.TrimSuffix(string(data), "\n"))
	if err != nil {
		return nil, k.broken(fileSigning, "signing key")
	}
	return signer, nil
}

// MakeSigner returns the signing key, drawn from rand for that name if there is none.
func (k KeyFolder) MakeSigner(rand io.Reader, name string) (*keys.Signer, error) {
	return makeKey(k, fileSigning, k.Signer, func() ([]byte, error) {
		signer, err := keys.Generate(rand, name)
		if err != nil {
			return nil, err
		}
		return []byte(signer.Private() + "\n"), nil
	})
}

// MakeNamedSigner returns the signing key of a ledger or a witness, drawn from rand if
// there is none; its name stands in checkpoints as it is.
func (k KeyFolder) MakeNamedSigner(rand io.Reader, name string) (*keys.Signer, error) {
	return makeKey(k, fileSigning, k.Signer, func() ([]byte, error) {
		signer, err := keys.GenerateNamed(rand, name)
		if err != nil {
			return nil, err
		}
		return []byte(signer.Private() + "\n"), nil
	})
}

// HPKE returns the keys for what is sealed for this role, the best first.
func (k KeyFolder) HPKE() ([]*dap.HpkeKeypair, error) {
	data, err := k.read(fileHPKE, "HPKE key")
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	if lines[0] != formatHPKE || len(lines) < 2 {
		return nil, k.broken(fileHPKE, "HPKE key")
	}
	var list []*dap.HpkeKeypair
	for _, line := range lines[1:] {
		pair, err := parseHPKE(line)
		if err != nil {
			return nil, k.broken(fileHPKE, "HPKE key")
		}
		list = append(list, pair)
	}
	return list, nil
}

func parseHPKE(line string) (*dap.HpkeKeypair, error) {
	public, private, ok := strings.Cut(line, " ")
	if !ok {
		return nil, errors.New("no private key")
	}
	encoded, err := base64.RawURLEncoding.Strict().DecodeString(public)
	if err != nil {
		return nil, err
	}
	var config dap.HpkeConfig
	if err := config.UnmarshalBinary(encoded); err != nil {
		return nil, err
	}
	secret, err := base64.RawURLEncoding.Strict().DecodeString(private)
	if err != nil {
		return nil, errors.New("broken private key")
	}
	return dap.ParseHpkeKeypair(config, secret)
}

// MakeHPKE returns the HPKE keys, one of each suite drawn if there is none. A
// private key's randomness is crypto/hpke's own.
func (k KeyFolder) MakeHPKE(suites ...dap.Suite) ([]*dap.HpkeKeypair, error) {
	return makeKey(k, fileHPKE, k.HPKE, func() ([]byte, error) {
		text := formatHPKE + "\n"
		for i, suite := range suites {
			pair, err := dap.GenerateHpkeKeypair(uint8(i+1), suite)
			if err != nil {
				return nil, err
			}
			public, err := dap.Encode(dap.Variant18, pair.Config())
			if err != nil {
				return nil, err
			}
			private, err := pair.PrivateBytes()
			if err != nil {
				return nil, err
			}
			text += base64.RawURLEncoding.EncodeToString(public) + " " + base64.RawURLEncoding.EncodeToString(private) + "\n"
		}
		return []byte(text), nil
	})
}

// Certificate returns the TLS key and its certificate, with Leaf set.
func (k KeyFolder) Certificate() (tls.Certificate, error) {
	key, err := k.read(fileTLSKey, "TLS key")
	if err != nil {
		return tls.Certificate{}, err
	}
	public, err := readLimited(filepath.Join(k.Dir, fileCertificate), maxSecret)
	if err != nil {
		return tls.Certificate{}, err
	}
	cert, err := tls.X509KeyPair(public, key)
	if err != nil { // its text says which of the two, and nothing of the key
		return tls.Certificate{}, errs.Wrap(err, errs.Invalid, fmt.Sprintf("%s and %s in %s do not belong together", fileTLSKey, fileCertificate, strconv.Quote(k.Dir)), "restore both from the same backup")
	}
	return cert, nil
}

// MakeCertificate returns the TLS key and its certificate, those that create
// returns if there is none.
func (k KeyFolder) MakeCertificate(create func() (tls.Certificate, error)) (tls.Certificate, error) {
	cert, err := k.Certificate()
	if errs.KindOf(err) != errs.NotFound {
		return cert, err
	}
	if _, err := os.Lstat(filepath.Join(k.Dir, fileTLSKey)); !errors.Is(err, fs.ErrNotExist) {
		return tls.Certificate{}, errs.New(errs.Conflict, fmt.Sprintf("%s has a %s without its %s", strconv.Quote(k.Dir), fileTLSKey, fileCertificate), "restore the certificate from a backup, or begin in a new folder")
	}
	if cert, err = create(); err != nil {
		return tls.Certificate{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		return tls.Certificate{}, errors.New("config: the TLS key cannot be written")
	}
	// A certificate without a key is what an interrupted command left: the key
	// is written last, and nobody has seen the certificate yet.
	public := filepath.Join(k.Dir, fileCertificate)
	if err := os.Remove(public); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return tls.Certificate{}, notReadable(public, err)
	}
	if err := k.create(fileCertificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})); err != nil {
		return tls.Certificate{}, err
	}
	if err := k.create(fileTLSKey, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})); err != nil {
		return tls.Certificate{}, err
	}
	return k.Certificate()
}

// CycleKey returns the key that seals shares in the database.
func (k KeyFolder) CycleKey() ([CycleKeySize]byte, error) {
	return k.secret(fileCycle, formatCycle, "cycle key")
}

// MakeCycleKey returns the cycle key, drawn from rand if there is none.
func (k KeyFolder) MakeCycleKey(rand io.Reader) ([CycleKeySize]byte, error) {
	return makeKey(k, fileCycle, k.CycleKey, func() ([]byte, error) {
		var key [CycleKeySize]byte
		if _, err := io.ReadFull(rand, key[:]); err != nil {
			return nil, fmt.Errorf("draw a cycle key: %w", err)
		}
		return secretText(formatCycle, key), nil
	})
}

// SeedPart returns this host's part of the seed.
func (k KeyFolder) SeedPart() (coalition.SeedPart, error) {
	b, err := k.secret(fileSeedPart, formatSeedPart, "seed part")
	return coalition.SeedPart(b), err
}

// MakeSeedPart returns this host's part of the seed, drawn from rand if there is none.
func (k KeyFolder) MakeSeedPart(rand io.Reader) (coalition.SeedPart, error) {
	return makeKey(k, fileSeedPart, k.SeedPart, func() ([]byte, error) {
		part, err := coalition.NewSeedPart(rand)
		return secretText(formatSeedPart, part), err
	})
}

// Seed returns the seed that both hosts drew.
func (k KeyFolder) Seed() (coalition.Seed, error) {
	b, err := k.secret(fileSeed, formatSeed, "seed")
	return coalition.Seed(b), err
}

// PutSeed keeps the seed. It is a Conflict if another one is there.
func (k KeyFolder) PutSeed(seed coalition.Seed) error {
	kept, err := makeKey(k, fileSeed, k.Seed, func() ([]byte, error) { return secretText(formatSeed, seed), nil })
	if err == nil && kept != seed {
		return errs.New(errs.Conflict, "another seed is kept in "+strconv.Quote(k.Dir), "a folder holds one cycle; begin again in a new one")
	}
	return err
}

// DestroyCycle destroys what opens the submissions of a cycle: the HPKE keys,
// the cycle key, the seed and this host's part of it. Each file is overwritten
// where it stands and removed; what a disk or a file system keeps besides is not
// in its hands, and copies elsewhere are not either. It returns the names of the
// files that were there, and may be called again.
func (k KeyFolder) DestroyCycle() (destroyed []string, err error) {
	for _, name := range []string{fileHPKE, fileCycle, fileSeed, fileSeedPart} {
		path := filepath.Join(k.Dir, name)
		switch err := destroy(path); {
		case err == nil:
			destroyed = append(destroyed, name)
		case !errors.Is(err, fs.ErrNotExist):
			return destroyed, notReadable(path, err)
		}
	}
	if err := SyncFolder(k.Dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return destroyed, err
	}
	return destroyed, nil
}

// destroy overwrites a file and removes it.
func destroy(path string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(make([]byte, info.Size()), 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Remove(path)
}

// makeKey returns what read finds, and makes the file first if there is none.
func makeKey[T any](k KeyFolder, name string, read func() (T, error), create func() ([]byte, error)) (T, error) {
	value, err := read()
	if errs.KindOf(err) != errs.NotFound {
		return value, err
	}
	body, err := create()
	if err != nil {
		return value, err
	}
	// Whoever makes the same file at the same time wins or loses; both read what
	// is there then.
	if err := k.create(name, body); err != nil && errs.KindOf(err) != errs.Conflict {
		return value, err
	}
	return read()
}

func secretText(format string, secret [32]byte) []byte {
	return []byte(format + "\n" + base64.StdEncoding.EncodeToString(secret[:]) + "\n")
}

func (k KeyFolder) secret(name, format, what string) (secret [32]byte, err error) {
	data, err := k.read(name, what)
	if err != nil {
		return secret, err
	}
	encoded, ok := strings.CutPrefix(string(data), format+"\n")
	b, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(encoded, "\n"))
	if !ok || err != nil || len(b) != len(secret) || !bytes.Equal(secretText(format, [32]byte(b)), data) {
		return secret, k.broken(name, what)
	}
	return [32]byte(b), nil
}

func (k KeyFolder) read(name, what string) ([]byte, error) {
	path := filepath.Join(k.Dir, name)
	data, err := ReadSecret(path)
	if errs.KindOf(err) == errs.NotFound {
		return nil, errs.Wrap(err, errs.NotFound, fmt.Sprintf("there is no %s: %s is missing", what, strconv.Quote(path)), "")
	}
	return data, err
}

func (k KeyFolder) broken(name, what string) error {
	return errs.New(errs.Invalid, fmt.Sprintf("%s holds no %s", strconv.Quote(filepath.Join(k.Dir, name)), what), "restore it from a backup; nothing is made in its place")
}

func (k KeyFolder) create(name string, body []byte) error {
	if err := os.MkdirAll(k.Dir, 0o700); err != nil {
		return notReadable(k.Dir, err)
	}
	return CreateSecret(filepath.Join(k.Dir, name), body)
}
