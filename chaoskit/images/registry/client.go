package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// pushedAs is the label of an image's config that says under which tag it was pushed.
const pushedAs = "dev.chaoskit.pushed-as"

// options speak to the registry as its keeper, and say at once when it does not answer.
func options(ctx context.Context, s State) ([]remote.Option, error) {
	accounts, err := s.accounts()
	if err != nil {
		return nil, err
	}
	keeper := &authn.Basic{Username: accounts.Keeper.Username, Password: accounts.Keeper.Password}
	once := remote.Backoff{Steps: 1}
	return []remote.Option{
		remote.WithContext(ctx), remote.WithAuth(keeper), remote.WithRetryBackoff(once),
	}, nil
}

func tagOf(text string) (name.Tag, error) {
	tag, err := name.NewTag("127.0.0.1:"+port+"/"+text, name.Insecure, name.StrictValidation)
	if err != nil {
		return tag, fmt.Errorf("%w: %q is not of the form NAME:TAG: %v", errUsage, text, err)
	}
	return tag, nil
}

func push(ctx context.Context, s State, text string, in io.Reader, out io.Writer) error {
	tag, err := tagOf(text)
	if err != nil {
		return err
	}
	with, err := options(ctx, s)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(string(s), ".push-*.tar")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = io.Copy(file, in)
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	image, err := tarball.ImageFromPath(file.Name(), nil)
	if err != nil {
		return fmt.Errorf("no tarball of one image: %w", err)
	}
	if image, err = ofItsOwn(image, text); err != nil {
		return err
	}
	if err := remote.Write(tag, image, with...); err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, digest)
	return err
}

// ofItsOwn is the image with a label that makes its content this tag's own. The kubelet remembers by
// content what it pulled with a password, and would ask for one also where a pod names an image
// of the same content that is on the node under another name.
func ofItsOwn(image v1.Image, text string) (v1.Image, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	if config.Config.Labels == nil {
		config.Config.Labels = map[string]string{}
	}
	config.Config.Labels[pushedAs] = text
	return mutate.ConfigFile(image, config)
}

func printDigest(ctx context.Context, s State, text string, out io.Writer) error {
	tag, err := tagOf(text)
	if err != nil {
		return err
	}
	with, err := options(ctx, s)
	if err != nil {
		return err
	}
	found, err := remote.Head(tag, with...)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, found.Digest)
	return err
}

func printTags(ctx context.Context, s State, text string, out io.Writer) error {
	repository, err := name.NewRepository("127.0.0.1:"+port+"/"+text, name.Insecure, name.StrictValidation)
	if err != nil {
		return fmt.Errorf("%w: %q is not a repository: %v", errUsage, text, err)
	}
	with, err := options(ctx, s)
	if err != nil {
		return err
	}
	tags, err := remote.List(repository, with...)
	var refused *transport.Error
	if errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound {
		return nil // nothing was ever pushed there
	}
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if _, err := fmt.Fprintln(out, tag); err != nil {
			return err
		}
	}
	return nil
}

// deleteTag takes the tag away and leaves what it named; without the tag there is nothing to do.
func deleteTag(ctx context.Context, s State, text string) error {
	tag, err := tagOf(text)
	if err != nil {
		return err
	}
	with, err := options(ctx, s)
	if err != nil {
		return err
	}
	err = remote.Delete(tag, with...)
	var refused *transport.Error
	if errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound {
		return nil
	}
	return err
}
