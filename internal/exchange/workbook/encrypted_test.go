package workbook_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"testing"
	"unicode/utf16"
)

// agile returns a workbook encrypted as Excel does since 2010: AES-256 in CBC mode
// by a password that is hashed 100,000 times with SHA-512 ([MS-OFFCRYPTO] 2.3.4.10).
// Salts are fixed; what proves the file's integrity is left out, since it is not
// checked.
func agile(t testing.TB, plain []byte, password string) []byte {
	t.Helper()
	le := binary.LittleEndian
	salt, keySalt := bytes.Repeat([]byte{7}, 16), bytes.Repeat([]byte{9}, 16)
	packageKey := bytes.Repeat([]byte{0x42}, 32)
	hash := func(parts ...[]byte) []byte {
		sum := sha512.Sum512(bytes.Join(parts, nil))
		return sum[:]
	}
	number := func(n int) []byte { return le.AppendUint32(nil, uint32(n)) }
	encrypt := func(key, iv, plain []byte) []byte {
		block, err := aes.NewCipher(key)
		must(t, err)
		if rest := len(plain) % 16; rest != 0 {
			plain = append(bytes.Clone(plain), make([]byte, 16-rest)...)
		}
		out := make([]byte, len(plain))
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(out, plain)
		return out
	}

	var typed []byte
	for _, unit := range utf16.Encode([]rune(password)) {
		typed = le.AppendUint16(typed, unit)
	}
	const rounds = 100_000
	h := hash(salt, typed)
	for i := range rounds {
		h = hash(number(i), h)
	}
	key := hash(h, []byte{0x14, 0x6e, 0x0b, 0xe7, 0xab, 0xac, 0xd0, 0xd6})[:32]

	const chunk = 4096
	body := le.AppendUint64(nil, uint64(len(plain)))
	for i := 0; i*chunk < len(plain); i++ {
		iv := hash(keySalt, number(i))[:16]
		body = append(body, encrypt(packageKey, iv, plain[i*chunk:min(len(plain), (i+1)*chunk)])...)
	}
	b64 := base64.StdEncoding.EncodeToString
	const ways = `blockSize="16" keyBits="256" hashSize="64" cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="SHA512"`
	info := fmt.Sprintf(`<encryption xmlns="http://schemas.microsoft.com/office/2006/encryption" xmlns:p="http://schemas.microsoft.com/office/2006/keyEncryptor/password">`+
		`<keyData saltSize="16" %s saltValue="%s"/><dataIntegrity encryptedHmacKey="" encryptedHmacValue=""/>`+
		`<keyEncryptors><keyEncryptor uri="http://schemas.microsoft.com/office/2006/keyEncryptor/password">`+
		`<p:encryptedKey spinCount="%d" saltSize="16" %s saltValue="%s" encryptedVerifierHashInput="" encryptedVerifierHashValue="" encryptedKeyValue="%s"/>`+
		`</keyEncryptor></keyEncryptors></encryption>`, ways, b64(keySalt), rounds, ways, b64(salt), b64(encrypt(key, salt, packageKey)))
	return compound("EncryptionInfo", "\x04\x00\x04\x00\x40\x00\x00\x00"+info, "EncryptedPackage", string(body))
}

// TestAgileEncryption reads what Excel writes with a password.
func TestAgileEncryption(t *testing.T) {
	t.Parallel()
	b := awkward()
	data := agile(t, write(t, b), password)
	b.Password = password
	equal(t, saved(mustRead(t, data, b)), wanted(b))
	b.Password = "wrong"
	if _, err := read(data, b); err == nil || err.Error() != "the password does not open the workbook" {
		t.Errorf("got %v", err)
	}
}

// compound returns a compound file of two streams in 512-byte sectors
// ([MS-CFB] 2): header, allocation table, directory, streams of at least 4,096 bytes.
func compound(first, a, second, b string) []byte {
	const sector, least = 512, 4096 // what is shorter would lie in the small stream
	pad := func(s string) []byte {
		size := max(least, (len(s)+sector-1)/sector*sector)
		return append([]byte(s), bytes.Repeat([]byte(" "), size-len(s))...)
	}
	streams := [][]byte{pad(a), pad(b)}
	sectors := (len(streams[0]) + len(streams[1])) / sector
	fats := (sectors + 2 + 126) / 127
	le := binary.LittleEndian

	header := make([]byte, sector)
	copy(header, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")
	for at, v := range map[int]uint16{24: 0x3E, 26: 3, 28: 0xFFFE, 30: 9, 32: 6} {
		le.PutUint16(header[at:], v)
	}
	for at, v := range map[int]uint32{44: uint32(fats), 48: uint32(fats), 56: least, 60: 0xFFFFFFFE, 68: 0xFFFFFFFE} {
		le.PutUint32(header[at:], v)
	}
	for i := range 109 {
		v := uint32(0xFFFFFFFF)
		if i < fats {
			v = uint32(i)
		}
		le.PutUint32(header[76+4*i:], v)
	}

	table := bytes.Repeat([]byte{0xFF}, fats*sector)
	for i := range fats {
		le.PutUint32(table[4*i:], 0xFFFFFFFD)
	}
	le.PutUint32(table[4*fats:], 0xFFFFFFFE)
	at := fats + 1
	var starts []uint32
	for _, s := range streams {
		starts = append(starts, uint32(at))
		for range len(s)/sector - 1 {
			le.PutUint32(table[4*at:], uint32(at+1))
			at++
		}
		le.PutUint32(table[4*at:], 0xFFFFFFFE)
		at++
	}

	directory := make([]byte, sector)
	entry := func(i int, name string, kind byte, left, right, child, start uint32, size int) {
		e := directory[128*i:]
		for j, r := range name {
			le.PutUint16(e[2*j:], uint16(r))
		}
		le.PutUint16(e[64:], uint16(2*len(name)+2))
		e[66], e[67] = kind, 1
		le.PutUint32(e[68:], left)
		le.PutUint32(e[72:], right)
		le.PutUint32(e[76:], child)
		le.PutUint32(e[116:], start)
		le.PutUint64(e[120:], uint64(size))
	}
	const none = 0xFFFFFFFF
	entry(0, "Root Entry", 5, none, none, 1, 0xFFFFFFFE, 0)
	entry(1, first, 2, none, 2, none, starts[0], max(least, len(a)))
	entry(2, second, 2, none, none, none, starts[1], max(least, len(b)))

	out := append(header, table...)
	out = append(out, directory...)
	return append(append(out, streams[0]...), streams[1]...)
}
