// Hangs in Java: two threads, two locks, in two orders.
public class Hang {
    static final Object red = new Object(), blue = new Object();
    static final java.util.concurrent.CyclicBarrier both = new java.util.concurrent.CyclicBarrier(2);

    static void meet() {
        try {
            both.await();
        } catch (Exception e) {
            throw new RuntimeException(e);
        }
    }

    static void hasRedWantsBlue() {
        synchronized (red) {
            meet();
            synchronized (blue) { System.exit(1); } // hangs
        }
    }

    static void hasBlueWantsRed() {
        synchronized (blue) {
            meet();
            synchronized (red) { System.exit(1); } // hangs
        }
    }

    public static void main(String[] args) throws Exception {
        Thread first = new Thread(Hang::hasRedWantsBlue, "first"), second = new Thread(Hang::hasBlueWantsRed, "second");

        first.start();
        second.start();
        while (first.getState() != Thread.State.BLOCKED || second.getState() != Thread.State.BLOCKED)
            Thread.sleep(1);
        System.out.println("ready");
        first.join();
    }
}
