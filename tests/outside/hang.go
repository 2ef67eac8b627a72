// Two goroutines lock two mutexes in two orders. Their waits are the runtime's own affair.
package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

func main() {
	var a, b sync.Mutex
	var ready sync.WaitGroup
	ready.Add(2)
	lock := func(x, y *sync.Mutex) {
		x.Lock()
		ready.Done()
		ready.Wait()
		y.Lock()
	}
	go lock(&a, &b)
	go lock(&b, &a)
	ready.Wait()
	fmt.Println("ready", os.Getpid())
	time.Sleep(time.Hour)
}
