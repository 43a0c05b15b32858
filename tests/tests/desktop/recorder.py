#!/usr/bin/env python3
"""A notification daemon that records what it is told and activates what it is asked to.

It owns org.freedesktop.Notifications on the session bus. On standard output it prints
{"ready": true} and then every notification as one JSON object a line. On standard input it takes
{"invoke": ID} (the default action) and {"close": ID}.
"""

import json
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
CLOSED_BY_USER = 2


def say(**fields):
    print(json.dumps(fields), flush=True)


class Recorder(dbus.service.Object):
    last = 0

    @dbus.service.method(NAME, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, app, replaces, icon, summary, body, actions, hints, timeout):
        Recorder.last += 1
        say(
            id=Recorder.last,
            app=str(app),
            replaces=int(replaces),
            summary=str(summary),
            body=str(body),
            actions=[str(action) for action in actions],
            hints=sorted(str(hint) for hint in hints),
        )
        return dbus.UInt32(Recorder.last)

    @dbus.service.method(NAME, in_signature="u")
    def CloseNotification(self, number):
        self.NotificationClosed(number, dbus.UInt32(3))

    @dbus.service.method(NAME, out_signature="as")
    def GetCapabilities(self):
        return ["actions", "body", "body-markup"]

    @dbus.service.method(NAME, out_signature="ssss")
    def GetServerInformation(self):
        return ("recorder", "calseta", "1", "1.2")

    @dbus.service.signal(NAME, signature="us")
    def ActionInvoked(self, number, action):
        pass

    @dbus.service.signal(NAME, signature="uu")
    def NotificationClosed(self, number, reason):
        pass


def main():
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SessionBus()
    name = dbus.service.BusName(NAME, bus, do_not_queue=True)
    recorder = Recorder(bus, PATH)
    loop = GLib.MainLoop()

    def asked(source, condition):
        line = sys.stdin.readline()
        if not line:
            loop.quit()
            return False
        order = json.loads(line)
        if "invoke" in order:
            recorder.ActionInvoked(dbus.UInt32(order["invoke"]), "default")
        if "close" in order:
            recorder.NotificationClosed(dbus.UInt32(order["close"]), dbus.UInt32(CLOSED_BY_USER))
        return True

    GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, asked)
    say(ready=True, name=name.get_name())
    loop.run()


main()
