//go:build unix

package main

import "syscall"

func privateFiles() { syscall.Umask(0o077) }
