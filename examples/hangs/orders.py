"""A kitchen and a waiter, each of whom waits for the other to begin: two processes, and Python says where."""
import multiprocessing


def cooks(orders, dishes):
    order = orders.get()
    dishes.put(f"{order}, hot")


def serves(orders, dishes):
    dish = dishes.get()
    orders.put("soup")
    print(dish)


if __name__ == "__main__":
    orders, dishes = multiprocessing.Queue(), multiprocessing.Queue()
    multiprocessing.Process(target=cooks, args=(orders, dishes)).start()
    serves(orders, dishes)
