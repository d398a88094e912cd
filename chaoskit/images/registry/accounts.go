package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// State is the folder, on a volume, with all that outlives the process.
type State string

const madeWithin = 5 * time.Second

func (s State) file(elements ...string) string {
	return filepath.Join(append([]string{string(s)}, elements...)...)
}

func (s State) images() string   { return s.file("images") }
func (s State) htpasswd() string { return s.file("htpasswd") }

// Account is one user with a random password, made here and told to nobody but who asks here.
type Account struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// Accounts are who may speak to the registry. Puller is for nodes and can be withdrawn; Keeper
// pushes, so that images can be changed also while clients are refused.
type Accounts struct {
	Puller Account `json:"puller"`
	Keeper Account `json:"keeper"`
}

// accounts reads the accounts; asked just after the start, it waits until they are made.
func (s State) accounts() (Accounts, error) {
	var found Accounts
	begun := time.Now()
	for {
		content, err := os.ReadFile(s.file("accounts.json"))
		if err == nil {
			return found, json.Unmarshal(content, &found)
		}
		if !errors.Is(err, fs.ErrNotExist) || time.Since(begun) > madeWithin {
			return found, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// makeAccounts makes the accounts if the volume is new; for the supervisor, of which there is one.
func (s State) makeAccounts() error {
	if _, err := os.Stat(s.file("accounts.json")); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	content, err := json.Marshal(Accounts{
		Puller: Account{Username: "puller", Password: rand.Text()},
		Keeper: Account{Username: "keeper", Password: rand.Text()},
	})
	if err != nil {
		return err
	}
	return s.write("accounts.json", content)
}

// admit writes the file that the registry reads anew at each request that follows a change.
func (s State) admit(accounts ...Account) error {
	var lines []byte
	for _, account := range accounts {
		// Passwords are random and long, so the cheapest hash keeps them as well as a dear one,
		// which would take a large part of a core at each request of a pull.
		hash, err := bcrypt.GenerateFromPassword([]byte(account.Password), bcrypt.MinCost)
		if err != nil {
			return err
		}
		lines = fmt.Appendf(lines, "%s:%s\n", account.Username, hash)
	}
	return s.write("htpasswd", lines)
}

// write replaces a file at once, so that no reader sees half of it.
func (s State) write(name string, content []byte) error {
	beside := s.file("." + name)
	if err := os.WriteFile(beside, content, 0o600); err != nil {
		return err
	}
	return os.Rename(beside, s.file(name))
}

func printAccount(s State, out io.Writer) error {
	accounts, err := s.accounts()
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(accounts.Puller)
}
