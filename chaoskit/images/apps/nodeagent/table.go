package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// tables are the nftables tables of one fault: one in each network that its selections name, under
// a name of its own, so that removing them removes the fault and nothing else.
type tables struct {
	name       string
	cgroupRoot string
}

const actChain = "act"

// put makes the tables that are not there, or not whole. `act` are the rules for the packets that
// are meant, one after the other.
func (t tables) put(selections []selection, act [][]expr.Any) error {
	byPod := map[string][]selection{}
	for _, one := range selections {
		byPod[one.Pod] = append(byPod[one.Pod], one)
	}
	for pod, some := range byPod {
		network, err := networkOf(t.cgroupRoot, pod)
		if err != nil {
			return err
		}
		err = t.putIn(network, some, act)
		_ = network.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// putIn is one transaction: there is no moment at which the table is half there. Rules only go to
// the chain `act`, and end there: a packet that two alternatives mean is acted on once. Of a table
// that is there that chain alone is made anew, as it may have been emptied: the hooks stay.
func (t tables) putIn(network *os.File, selections []selection, act [][]expr.Any) error {
	conn, table, err := t.find(network)
	if err != nil {
		return err
	}
	if table != nil {
		conn.FlushChain(&nftables.Chain{Name: actChain, Table: table})
		selections = nil
	} else {
		table = conn.AddTable(&nftables.Table{Name: t.name, Family: nftables.TableFamilyINet})
		conn.AddChain(&nftables.Chain{Name: actChain, Table: table})
	}
	acting := &nftables.Chain{Name: actChain, Table: table}
	for _, rule := range act {
		conn.AddRule(&nftables.Rule{Table: table, Chain: acting, Exprs: rule})
	}
	accept := nftables.ChainPolicyAccept
	for number, one := range selections {
		hook := hooks[one.At]
		chain := conn.AddChain(&nftables.Chain{
			Name: fmt.Sprintf("%s%d", one.At, number), Table: table, Type: hook.chain,
			Hooknum: hook.at, Priority: hook.priority, Policy: &accept,
		})
		for _, match := range one.matches() {
			gone := append(match, &expr.Counter{}, &expr.Verdict{Kind: expr.VerdictGoto, Chain: actChain})
			conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: gone})
		}
	}
	if err := conn.Flush(); err != nil {
		return fmt.Errorf("nftables table %s: %w", t.name, err)
	}
	return nil
}

// still lets the packets go on that are meant, while the tables stay.
func (t tables) still(selections []selection) error {
	return t.eachNetwork(selections, func(network *os.File) error {
		conn, table, err := t.find(network)
		if err != nil || table == nil {
			return err
		}
		conn.FlushChain(&nftables.Chain{Name: actChain, Table: table})
		return conn.Flush()
	})
}

// remove takes the tables away and looks that they are gone.
func (t tables) remove(selections []selection) error {
	return t.eachNetwork(selections, func(network *os.File) error {
		conn, table, err := t.find(network)
		if err != nil || table == nil {
			return err
		}
		conn.DelTable(table)
		if err := conn.Flush(); err != nil {
			return fmt.Errorf("nftables table %s cannot be removed: %w", t.name, err)
		}
		if _, table, err = t.find(network); err == nil && table != nil {
			err = fmt.Errorf("nftables table %s is there although removed", t.name)
		}
		return err
	})
}

// eachNetwork visits the node's and those of the pods; the ones that are gone took their tables
// with them.
func (t tables) eachNetwork(selections []selection, do func(*os.File) error) error {
	var all error
	for _, pod := range podsOf(append([]selection{{}}, selections...)) {
		network, err := networkOf(t.cgroupRoot, pod)
		if errors.Is(err, errPodGone) {
			continue
		}
		if err == nil {
			err = do(network)
			_ = network.Close()
		}
		all = errors.Join(all, err)
	}
	return all
}

// find is nil for a table that is not there.
func (t tables) find(network *os.File) (*nftables.Conn, *nftables.Table, error) {
	conn, err := nftables.New(nftables.WithNetNSFd(int(network.Fd())))
	if err != nil {
		return nil, nil, err
	}
	found, err := conn.ListTablesOfFamily(nftables.TableFamilyINet)
	if err != nil {
		return nil, nil, fmt.Errorf("listing nftables tables: %w", err)
	}
	for _, one := range found {
		if one.Name == t.name {
			return conn, one, nil
		}
	}
	return conn, nil, nil
}
