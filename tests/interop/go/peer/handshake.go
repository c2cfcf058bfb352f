package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
)

// The handshake of docs/protocol-v1.md, section 2.
const (
	connectPath  = "/connect"
	tokenHeader  = "X-Qdt-Token"
	nonceBytes   = 16
	maxBodyBytes = 4096
	defaultMTU   = 1350
)

type connectRequest struct {
	Version     int    `json:"version"`
	ClientNonce string `json:"client_nonce"`
	MTU         int    `json:"mtu"`
	ClientID    string `json:"client_id,omitempty"`
	Platform    string `json:"platform,omitempty"`
}

type connectResponse struct {
	Version     int      `json:"version"`
	SessionID   uint64   `json:"session_id"`
	ServerNonce string   `json:"server_nonce"`
	MTU         int      `json:"mtu"`
	ClientIP    string   `json:"client_ip"`
	GatewayIP   string   `json:"gateway_ip"`
	CIDR        string   `json:"cidr"`
	DNS         []string `json:"dns,omitempty"`
	// Nobody offered any: there must be none.
	Caps []string `json:"caps,omitempty"`
}

func newNonce() []byte {
	nonce := make([]byte, nonceBytes)
	if _, err := rand.Read(nonce); err != nil {
		panic(err)
	}
	return nonce
}

func encodeNonce(nonce []byte) string { return base64.RawStdEncoding.EncodeToString(nonce) }

// decodeNonce takes padding, too.
func decodeNonce(text string) ([]byte, error) {
	nonce, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(nonce) != nonceBytes {
		return nil, fmt.Errorf("nonce %q is not base64 of %d bytes", text, nonceBytes)
	}
	return nonce, nil
}
