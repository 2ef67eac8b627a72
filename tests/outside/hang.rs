// Two threads lock two mutexes in two orders: futexes that name no holder.
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
fn main() {
    let a = Arc::new(Mutex::new(0));
    let b = Arc::new(Mutex::new(0));
    let gate = Arc::new(Barrier::new(3));
    for i in 0..2 {
        let g = gate.clone();
        let (x, y) = if i == 0 { (a.clone(), b.clone()) } else { (b.clone(), a.clone()) };
        let work = move || {
            let _first = x.lock().unwrap();
            g.wait();
            let _second = y.lock().unwrap();
        };
        thread::Builder::new().name(format!("worker-{i}")).spawn(work).unwrap();
    }
    gate.wait();
    println!("ready {}", std::process::id());
    thread::sleep(std::time::Duration::from_secs(3600));
}
