#!/usr/bin/env python3
"""Asks every window of a title to close, as the button in a title bar does; prints how many.

There is no window manager on the tests' display, so the message that it would send is sent here:
WM_PROTOCOLS with WM_DELETE_WINDOW, by Xlib.
"""

import ctypes
import sys

CLIENT_MESSAGE = 33
FORMAT_BITS = 32

x11 = ctypes.CDLL("libX11.so.6")
x11.XOpenDisplay.restype = ctypes.c_void_p
x11.XDefaultRootWindow.restype = ctypes.c_ulong
x11.XInternAtom.restype = ctypes.c_ulong


class ClientMessage(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
    ]


class Event(ctypes.Union):
    _fields_ = [("client", ClientMessage), ("padding", ctypes.c_long * 24)]


def windows(display):
    root, parent = ctypes.c_ulong(), ctypes.c_ulong()
    children, count = ctypes.POINTER(ctypes.c_ulong)(), ctypes.c_uint()
    top = ctypes.c_ulong(x11.XDefaultRootWindow(display))
    x11.XQueryTree(
        display,
        top,
        ctypes.byref(root),
        ctypes.byref(parent),
        ctypes.byref(children),
        ctypes.byref(count),
    )
    return [children[n] for n in range(count.value)]


def title(display, window):
    name = ctypes.c_char_p()
    x11.XFetchName(display, ctypes.c_ulong(window), ctypes.byref(name))
    return (name.value or b"").decode("utf-8", "replace")


def close(display, window):
    event = Event()
    event.client.type = CLIENT_MESSAGE
    event.client.window = window
    event.client.message_type = x11.XInternAtom(display, b"WM_PROTOCOLS", 0)
    event.client.format = FORMAT_BITS
    event.client.data[0] = x11.XInternAtom(display, b"WM_DELETE_WINDOW", 0)
    x11.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(event))


def main():
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    named = [window for window in windows(display) if title(display, window) == sys.argv[1]]
    for window in named:
        close(display, window)
    x11.XSync(display, 0)
    print(len(named))


main()
